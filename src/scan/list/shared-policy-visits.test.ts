import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.js';
import { fail } from '../../base/index.js';
import { stsFailures, type PolicyHostReply, type PolicyVisit } from '../../mta-sts/index.js';
import { SharedPolicyVisits } from './shared-policy-visits.js';

const answered: PolicyHostReply = { dial: 'open', secured: true, status: 404 };
const silent: PolicyHostReply = { dial: 'net-timeout', secured: false };
const busy: PolicyHostReply = { ...answered, status: 503, retryAfterMs: 120_000 };

/** A run whose fetches take a second, and the times at which they began. */
function run(optOut?: (host: string, address: string) => boolean) {
  const clock = new FakeClock();
  const visits = new SharedPolicyVisits({ clock, spacingMs: 5000, optOut });
  const began: number[] = [];
  let open = 0;
  const fetch = async (reply: PolicyHostReply, address = '192.0.2.1') => {
    const names = { host: 'mta-sts.example.com', canonicalName: 'policies.example.net' };
    const result = await visits.run({ ...names, address }, async (): Promise<PolicyVisit> => {
      assert.equal(open++, 0, 'one connection at a time');
      began.push(clock.monotonic());
      await clock.sleep(1000);
      open--;
      return { reply, fetched: fail(stsFailures.make('sts-policy-unreachable')) };
    });
    return 'refused' in result ? result.refused.code : 'asked';
  };
  const starts = (): readonly number[] => began.map((at) => at - (began[0] ?? 0));
  return { fetch, starts, clock };
}

test('fetches from one address are sequential, sooner after an answer', async () => {
  const { fetch, starts } = run();
  await Promise.all([answered, silent, answered].map((reply) => fetch(reply)));
  assert.deepEqual(starts(), [0, 1050, 7050]);
});

test('a policy host gets no request during the rest that it requested', async () => {
  const { fetch, clock } = run();
  assert.deepEqual(await Promise.all([busy, answered].map((reply) => fetch(reply))), [
    'asked',
    'net-budget',
  ]);
  await clock.sleep(120_000);
  assert.equal(await fetch(answered), 'asked');
});

test('the opt-out list holds for policy hosts, their aliases and addresses', async () => {
  for (const entry of ['mta-sts.example.com', 'policies.example.net', '192.0.2.1']) {
    const { fetch } = run((host, address) => host === entry || address === entry);
    assert.equal(await fetch(answered), 'opt-out');
  }
});
