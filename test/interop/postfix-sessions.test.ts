import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { allScenarios, type Scenario } from '../../src/lab/index.js';
import { NEXT_RELEASE } from './debian.js';
import { startPostfixWorld } from './postfix-world.js';
import { previewed } from './previewed.js';
import { until } from './process.js';

/** Domains that request reports. The last domain has no policy. */
const domains = [
  'good.example',
  'sts-only.example',
  'dane-mismatch.example',
  'opportunistic.example',
];
const scenarioOf = (domain: string): Scenario => ({
  ...(allScenarios.find((s) => s.domain === domain) as Scenario),
  rpt: true,
});

test('sessions of Postfix 3.10 with libtlsrpt count under their policy', async () => {
  const world = await startPostfixWorld({
    scenarios: domains.map(scenarioOf),
    yaml: 'reporting: {organization: Sender, contact: tls@sender.example, datagrams: true}\n',
    sessions: true,
    release: NEXT_RELEASE,
  });
  try {
    const became = [];
    for (const domain of [...domains, 'good.example'])
      became.push(await world.deliver('socketmap', domain));
    assert.deepEqual(became, ['verified', 'verified', 'deferred', 'unverified', 'verified']);
    const config = join(world.folder, 'hermetic.yaml');
    const seen = (): readonly (readonly unknown[])[] =>
      previewed(config)
        .map(({ policy, summary, 'failure-details': failures = [] }) => [
          policy['policy-domain'],
          policy['policy-type'],
          summary['total-successful-session-count'],
          summary['total-failure-session-count'],
          ...failures.map((f) => [
            f['result-type'],
            f['receiving-mx-hostname'],
            f['receiving-mx-helo'],
          ]),
        ])
        .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
    const sessions = (): number =>
      seen().reduce((sum, [, , good, bad]) => sum + Number(good) + Number(bad), 0);
    await until(
      'five sessions are counted',
      () => Promise.resolve(sessions() >= 5),
      () => JSON.stringify(seen()),
    );
    const wrong = 'mx.dane-mismatch.example';
    assert.deepEqual(seen(), [
      [wrong, 'tlsa', 0, 1, ['certificate-not-trusted', wrong, wrong]],
      ['mx.good.example', 'tlsa', 2, 0],
      ['opportunistic.example', 'no-policy-found', 1, 0],
      ['sts-only.example', 'sts', 1, 0],
    ]);
  } finally {
    await world.stop();
  }
});
