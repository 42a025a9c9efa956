import assert from 'node:assert/strict';
import test from 'node:test';
import {
  withReports,
  type TestPolicy,
  type TestReport,
} from '../../../test/support/report/reports.js';
import { mailHosts } from './mail-hosts.js';

const day = '2027-01-03';
const to = Date.parse(day) / 86_400_000;
const span = { domain: 'rcpt.example', from: to - 2, to };

const own: TestPolicy = { ok: 1, mx: [] };
const dane = (host: string): TestPolicy => ({ type: 'tlsa', domain: host, ok: 1 });

/**
 * Returns the hosts that follow from one report with these policies, and the number of
 * steps to find them.
 */
async function hostsBy(reports: readonly (readonly TestPolicy[])[]): Promise<[string[], number]> {
  const store = await withReports(
    ...reports.map((policies, n): TestReport => ({
      reporter: 'big.example',
      day,
      id: `${n}`,
      policies,
    })),
  );
  const steps = mailHosts(store, span, [], 50);
  for (let count = 1; ; count++) {
    const step = steps.next();
    if (step.done !== true) continue;
    store.close();
    return [[...step.value], count];
  }
}

test('the hosts of many reports about one day are found in a step per report', async () => {
  const report = [own, ...Array.from({ length: 30 }, (_, n) => dane(`mx${n}.other.example`))];
  const [, few] = await hostsBy([report]);
  const [hosts, many] = await hostsBy(Array.from({ length: 9 }, () => report));
  assert.ok(many >= few + 8, `${many} steps`);
  assert.equal(hosts.length, 30);
});

const claims: readonly (readonly [string, readonly TestPolicy[], readonly string[]])[] = [
  ['no other domain', [own, dane('mx.host.example')], ['mx.host.example']],
  ['a domain above it', [own, { domain: 'host.example', ok: 1 }, dane('mx.host.example')], []],
  [
    'a policy that names it',
    [own, { ok: 1, domain: 'o.example', mx: ['mx.host.example'] }, dane('mx.host.example')],
    [],
  ],
  [
    'a policy with a wildcard',
    [own, { ok: 1, domain: 'o.example', mx: ['*.host.example'] }, dane('mx.host.example')],
    [],
  ],
  [
    'a policy that names a longer host',
    [own, { ok: 1, domain: 'o.example', mx: ['a.mx.host.example'] }, dane('mx.host.example')],
    ['mx.host.example'],
  ],
  [
    'its own policy as a domain',
    [own, { ok: 1, domain: 'mx.host.example', mx: ['mx.host.example'] }, dane('mx.host.example')],
    ['mx.host.example'],
  ],
  [
    'a policy of both domains',
    [
      { ok: 1, mx: ['mx.host.example'] },
      { ok: 1, domain: 'o.example', mx: ['mx.host.example'] },
      dane('mx.host.example'),
    ],
    ['mx.host.example'],
  ],
];

for (const [claim, policies, expected] of claims)
  test(`a TLSA base domain next to ${claim}`, async () => {
    assert.deepEqual((await hostsBy([policies]))[0], expected);
  });
