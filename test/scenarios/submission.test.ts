import assert from 'node:assert/strict';
import test from 'node:test';
import {
  collect,
  collectOptions,
  grade,
  nameOf,
  renderTerminal,
  type CheckOptions,
} from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { createLab, type Scenario } from '../../src/lab/index.js';

const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;

async function look(scenario: Partial<Scenario>, options: CheckOptions): Promise<CheckResult> {
  const lab = await createLab({
    scenarios: [{ domain: 'x.example', says: '', expect, ...scenario }],
  });
  try {
    return grade(
      await collect(nameOf('x.example'), collectOptions({ ...labOptions(lab), ...options })),
    );
  } finally {
    await lab.close();
  }
}

const handedIn: Partial<Scenario> = {
  hosts: [{ certificate: 'rsa-and-ecdsa', submission: true }],
  sts: { mode: 'enforce' },
};

test('submission ports are checked on request and change no verdict', async () => {
  const options = { depth: 'inventory', submissionPorts: [465, 587] } as const;
  const [without, result] = [
    await look(handedIn, { depth: 'inventory' }),
    await look(handedIn, options),
  ];
  assert.equal(without.hosts[0]?.addresses[0]?.submission, undefined);
  const [address] = result.hosts[0]?.addresses ?? [];
  assert.deepEqual(
    address?.submission?.map((s) => [s.port, s.status, s.starttls]),
    [
      [465, 'reachable', 'offered'],
      [587, 'reachable', 'offered'],
    ],
  );
  for (const { tls, certificates } of address?.submission ?? []) {
    assert.deepEqual(tls, address?.tls, 'the lab runs one stack on every port');
    assert.deepEqual(new Set(certificates.map((c) => c.keyAlgorithm)), new Set(['RSA', 'ECDSA']));
    assert.ok(certificates.every((c) => c.dane === 'not-applicable'));
  }
  assert.equal(result.verdict, without.verdict);
  assert.match(
    renderTerminal(result, { width: 100, color: false }),
    /port 465 {2}TLS 1\.[23], 1\.[23]/,
  );
});

test('STARTTLS removed only on port 25 shows next to the submission ports', async () => {
  const result = await look(
    { ...handedIn, attack: { strip: 'mangle' } },
    { depth: 'triage', submissionPorts: [465, 587] },
  );
  assert.match(
    result.findings.find((f) => f.id === 'starttls-differs')?.why ?? '',
    /Without TLS: port 25; with it: 465, 587/,
  );
});

test('a silent port is reported as silent', async () => {
  const result = await look(
    { sts: { mode: 'enforce' } },
    { depth: 'triage', submissionPorts: [587] },
  );
  assert.deepEqual(
    result.hosts[0]?.addresses[0]?.submission?.map((s) => [s.port, s.status, s.reason]),
    [[587, 'inconclusive', 'net-timeout']],
  );
  assert.equal(result.verdict, 'pass');
});

test('if STARTTLS is missing, port 587 is tested once', async () => {
  for (const strip of ['mangle', 'remove'] as const) {
    const result = await look({ ...handedIn, attack: { strip } }, { depth: 'verdict' });
    const [address] = result.hosts[0]?.addresses ?? [];
    assert.deepEqual(
      address?.submission?.map((s) => [s.port, s.starttls, s.connections]),
      [[587, 'offered', 1]],
    );
    assert.match(
      result.findings.find((f) => f.id === 'starttls-differs')?.why ?? '',
      /Without TLS: port 25; with it: 587\..*removed on the path/,
    );
  }
  const honest = await look(handedIn, { depth: 'verdict' });
  assert.equal(
    honest.hosts[0]?.addresses[0]?.submission,
    undefined,
    'no connection more where STARTTLS is there',
  );
  const triage = await look({ ...handedIn, attack: { strip: 'remove' } }, { depth: 'triage' });
  assert.equal(
    triage.hosts[0]?.addresses[0]?.submission,
    undefined,
    'triage stays at one connection',
  );
});
