import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { publishSection } from '../../src/publish/config.js';
import { openLedger } from '../../src/publish/ledger/ledger.js';
import { startPolicy } from '../../src/publish/mta-sts/step-policy.js';
import type { ServedPolicy } from '../../src/publish/mta-sts/types.js';
import { renewDue } from '../../src/publish/issue/renew-due.js';
import { acmeWorld } from '../support/publish/acme-ca.js';

const [hour, day] = [3_600_000, 86_400_000];
const served: ServedPolicy = {
  id: '1',
  body: 'mode: none',
  mode: 'none',
  maxAge: 86_400,
  mx: [],
  first: 0,
};

/**
 * Issues a certificate for the policy host of each domain, and returns a function that
 * renews due certificates.
 */
async function world(t: TestContext, domains: readonly string[], settings: object) {
  const made = await acmeWorld();
  t.after(() => made.close());
  const { ring, certifier, store } = made;
  const ledger = openLedger(store);
  const section = publishSection.parse(settings);
  for (const domain of domains) {
    ring.make(`mta-sts.${domain}`, 'ecdsa-1', 'ecdsa');
    assert.deepEqual(await certifier().certify({ host: `mta-sts.${domain}`, key: 'ecdsa-1' }), {
      status: 'done',
    });
  }
  const issuer = certifier();
  return { ...made, ledger, renew: () => renewDue({ section, ledger, issuer }) };
}

test("a policy host's certificate renews in time with rounds every six hours", async (t) => {
  const { renew, clock, ring } = await world(t, ['example.com'], {
    domains: { 'example.com': { mx: ['mx.example.com'] } },
  });
  let renewed = 0;
  for (const end = clock.at + 365 * day; clock.at < end; clock.at += 6 * hour) {
    renewed += (await renew()).length;
    assert.ok(
      ring.list('mta-sts.example.com', clock.at + 29 * day)[0]?.certified,
      'less than 29 days are left',
    );
  }
  assert.equal(renewed, 6);
});

test('a retiring domain keeps its certificate while senders may fetch its policy', async (t) => {
  const { renew, clock, ledger } = await world(t, ['leaving.example', 'gone.example'], {});
  for (const [domain, last] of [
    ['leaving.example', {}],
    ['gone.example', { last: 1 }],
  ] as const)
    await ledger.saveDomain(
      startPolicy(domain),
      { ...startPolicy(domain), served: [{ ...served, ...last }] },
      0,
    );
  clock.at += 61 * day;
  assert.deepEqual(
    (await renew()).map(({ subject, outcomes }) => [
      subject,
      outcomes.map(({ outcome }) => outcome.status),
    ]),
    [['leaving.example', ['done']]],
  );
});

test('a round over many certificates yields between any two of them', async (t) => {
  const domains = Object.fromEntries(
    Array.from({ length: 100 }, (_, n) => [`customer-${n}.example`, { mx: ['mx.example.com'] }]),
  );
  const { renew } = await world(t, ['customer-0.example'], { domains });
  let turns = 0;
  let over = false;
  const others = (): void => {
    turns++;
    if (!over) setImmediate(others);
  };
  setImmediate(others);
  await renew();
  over = true;
  assert.ok(turns >= 99, `${turns} turns`);
});
