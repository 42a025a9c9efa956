import assert from 'node:assert/strict';
import test from 'node:test';
import {
  collect,
  collectOptions,
  grade,
  nameOf,
  type CheckOptions,
} from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { ConnectionEvidence, Evidence } from '../../src/evidence/index.js';
import { allScenarios, createLab, type Scenario, type SmtpHabit } from '../../src/lab/index.js';

async function look(
  domain: string,
  options: CheckOptions,
  extra: readonly Scenario[] = [],
): Promise<Evidence> {
  const lab = await createLab({
    scenarios: [...allScenarios.filter((s) => s.domain === domain), ...extra],
  });
  try {
    return await collect(nameOf(domain), collectOptions({ ...labOptions(lab), ...options }));
  } finally {
    await lab.close();
  }
}

const connectionsOf = ({ hosts }: Evidence): readonly ConnectionEvidence[] =>
  hosts[0]?.addresses[0]?.connections ?? [];

test('CVE-2011-0411: only --intrusive finds a server that executes early plaintext', async () => {
  const seen = await look('injectable.example', { intrusive: true });
  assert.equal(connectionsOf(seen).at(-1)?.injection, 'executed');
  const result = grade(seen);
  assert.equal(result.verdict, 'fail');
  assert.ok(result.findings.some((f) => f.id === 'injection-vulnerable' && f.severity === 'fail'));
  const unasked = grade(await look('injectable.example', {}));
  assert.equal(unasked.verdict, 'pass');
  assert.ok(unasked.notLookedAt.includes('injection-vulnerable'));
});

test('a correct server discards it; the test sends one NOOP on one connection', async () => {
  const evidence = await look('good.example', { intrusive: true });
  const connections = connectionsOf(evidence);
  const intrusions = connections.filter((c) => c.injection);
  assert.deepEqual(
    intrusions.map((c) => [
      c.injection,
      c.transcript.flatMap((line) => (line.from === 'C' ? line.text.split(' ')[0] : [])),
    ]),
    [['discarded', ['EHLO', 'STARTTLS', 'NOOP', 'EHLO', 'QUIT']]],
  );
  assert.ok(connections.length <= 14);
  assert.ok(!grade(evidence).notLookedAt.includes('injection-vulnerable'));
  for (const c of connections)
    assert.ok(c.injection ?? !c.transcript.some((line) => line.text === 'NOOP'));
});

test('client-initiated renegotiation is reported if tested', async () => {
  const result = grade(await look('good.example', { intrusive: true }));
  const [found] = result.findings.filter((f) => f.id === 'tls-renegotiation');
  assert.equal(found?.severity, 'info', 'the lab runs on a stack that allows it');
});

test('the client refuses a plaintext reply injected before TLS', async () => {
  const habit: SmtpHabit = 'injects-reply';
  const scenario: Scenario = {
    domain: 'x.example',
    says: '',
    hosts: [{ habit }],
    expect: { verdict: 'pass', exposure: {} as never },
  };
  const evidence = await look('x.example', {}, [scenario]);
  const [only, ...more] = connectionsOf(evidence);
  assert.equal(more.length, 0);
  assert.equal(only?.failure?.code, 'smtp-injected-plaintext');
  assert.equal(only.handshake, undefined);
  assert.equal(grade(evidence).verdict, 'inconclusive');
});
