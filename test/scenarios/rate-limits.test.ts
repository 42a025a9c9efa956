import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '../../src/base/index.js';
import {
  collect,
  collectOptions,
  grade,
  nameOf,
  type CheckOptions,
} from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { AddressEvidence, Evidence } from '../../src/evidence/index.js';
import { createLab, type ConnectionRule, type Lab, type Scenario } from '../../src/lab/index.js';
import type { Network } from '../../src/net/index.js';

const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;
const sealed = { zone: { signed: {} }, sts: { mode: 'enforce' } } as const;

/**
 * Runs a test with `x.example`, a signed domain with valid DANE and MTA-STS, at a server
 * with these limits.
 */
async function withLab(
  admits: ConnectionRule | undefined,
  run: (lab: Lab) => Promise<void>,
): Promise<void> {
  const lab = await createLab({
    scenarios: [
      {
        domain: 'x.example',
        says: '',
        expect,
        ...sealed,
        hosts: [{ tlsa: ['ee'], ...(admits ? { admits } : {}) }],
      },
    ],
  });
  try {
    await run(lab);
  } finally {
    await lab.close();
  }
}

const look = (lab: Lab, options: CheckOptions = {}): Promise<Evidence> =>
  collect(nameOf('x.example'), collectOptions({ ...labOptions(lab), ...options }));
const addressOf = ({ hosts }: Evidence): AddressEvidence =>
  hosts[0]?.addresses[0] as AddressEvidence;
const questionsOf = (evidence: Evidence): string[] =>
  addressOf(evidence).connections.flatMap((c) =>
    c.probe && !c.earlier ? [JSON.stringify(c.probe.question)] : [],
  );

test('three connections before a ban: main facts known, a second run completes', async () => {
  const complete = new Set<string>();
  await withLab(undefined, async (lab) => {
    const evidence = await look(lab);
    assert.equal(grade(evidence).verdict, 'pass');
    for (const question of questionsOf(evidence)) complete.add(question);
  });
  let now = 0;
  const clock = { ...systemClock, sleep: async (ms: number) => void (now += ms) };
  const admits = { connections: 3, within: 600, then: 'busy', now: () => now } as const;
  await withLab(admits, async (lab) => {
    const first = await look(lab, { clock, spacingMs: 0 });
    const address = addressOf(first);
    assert.equal(
      address.connections.length,
      4,
      'three that were answered and the one that was turned away',
    );
    assert.equal(address.stopped, 'smtp-busy');
    const seen = grade(first);
    const [shown] = seen.hosts[0]?.addresses ?? [];
    assert.equal(seen.verdict, 'inconclusive');
    assert.deepEqual(
      [
        shown?.starttls,
        shown?.tls.versions['TLSv1.3'],
        shown?.certificates[0]?.chain,
        shown?.certificates[0]?.dane,
      ],
      ['offered', 'accepted', 'trusted', 'match'],
    );
    const open = seen.findings.find((f) => f.id === 'tls-unsettled');
    assert.match(open?.title ?? '', /smtp-busy\); open: .*tls-broken-version/);
    assert.ok(open?.steps.some((s) => s.text.includes('--resume')));

    now += 700;
    const second = await look(lab, { clock, earlier: first, spacingMs: 260 });
    assert.equal(addressOf(second).stopped, undefined);
    assert.equal(grade(second).verdict, 'pass');
    const known = new Set(questionsOf(first));
    const asked = questionsOf(second);
    assert.ok(
      known.size >= 2 && asked.every((question) => !known.has(question)),
      'nothing is asked twice',
    );
    assert.deepEqual(new Set([...known, ...asked]), complete);
  });
});

for (const then of ['closed', 'silent', 'hangs-up', 'greylists'] as const)
  test(`a ban that is ${then}: the run ends there and draws no conclusion`, async () => {
    await withLab({ connections: 3, within: 60_000, then }, async (lab) => {
      const evidence = await look(lab, { timeoutMs: 5000 });
      assert.equal(addressOf(evidence).connections.length, 4);
      assert.notEqual(addressOf(evidence).stopped, undefined);
      const { verdict, findings } = grade(evidence);
      assert.equal(verdict, 'inconclusive');
      assert.deepEqual(
        findings.filter((f) => f.severity === 'fail' || f.severity === 'warn').map((f) => f.id),
        [],
      );
    });
  });

test('a server that delays more and more gets no further connection', async () => {
  await withLab(undefined, async (lab) => {
    let [dials, late] = [0, 0];
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + late };
    const network: Network = {
      exchange: (request) => lab.network.exchange(request),
      async dial(request) {
        const dialled = await lab.network.dial(request);
        if (request.port === 25 && ++dials > 3) late += 20_000;
        return dialled;
      },
    };
    const address = addressOf(await look(lab, { clock, network }));
    assert.equal(address.connections.length, 4);
    assert.equal(address.stopped, 'smtp-tarpit');
  });
});

test('the budget is never exceeded, and open questions are listed', async () => {
  await withLab(undefined, async (lab) => {
    for (const budget of [1, 2, 5]) {
      const evidence = await look(lab, { budget });
      assert.equal(addressOf(evidence).connections.length, budget);
      assert.equal(addressOf(evidence).stopped, 'budget');
      assert.equal(grade(evidence).verdict, 'inconclusive');
    }
    const intrusive = await look(lab, { budget: 5, intrusive: true });
    assert.equal(addressOf(intrusive).connections.length, 5);
    assert.equal(
      addressOf(intrusive).connections.at(-1)?.injection,
      'discarded',
      'the connection for it is kept',
    );
  });
});
