import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { goalsOf, grade, profiles, type Profile } from '../../src/check/index.js';
import { probeEvidence, type ConnectionEvidence, type Depth, type Evidence } from '../../src/evidence/index.js';
import { answerHello, type ResponderConfig } from '../../src/lab/index.js';
import { createCa, generateKey, issue } from '../../src/pki/index.js';
import {
  FlightReader,
  groups12,
  groups13,
  helloFor,
  buildClientHello,
  nextQuestion,
  ProtocolVersion,
  readClientHello,
  runProbes,
  suiteName,
  suites12,
  suites13,
  type Answer,
  type ProbeRecord,
  type Question,
} from '../../src/tls/index.js';
import { plantedConnection, plantedEvidence, plantedHost } from '../../src/check/testing/planted-evidence.js';

const ca = createCa({ name: 'Depths' });
const certificates = (['rsa-2048', 'p256'] as const).map((kind) => {
  const issued = issue(ca, { names: ['mx.planted.example'], key: generateKey(kind) });
  return { chain: issued.chain, key: createPrivateKey(issued.keyPem) };
});

/** What a configured server answers, through the same octets as on the wire. */
function answerOf(config: ResponderConfig, question: Question): Answer {
  if (question.kind === 'ssl2') return config.ssl2Ciphers ? { kind: 'ssl2', ciphers: config.ssl2Ciphers } : { kind: 'refused' };
  if (question.kind === 'handshake') return { kind: 'refused' };
  const hello = readClientHello(buildClientHello(helloFor(question, new Uint8Array(64), 'mx.planted.example')));
  assert.ok(hello && hello !== 'more');
  const { bytes } = answerHello(config, hello);
  const reader = new FlightReader();
  reader.push(bytes);
  const { flight } = reader;
  return flight.hello ? { kind: 'hello', flight } : { kind: 'refused', ...(flight.alert ? { alert: flight.alert.description } : {}) };
}

/** The first handshake of an ordinary client, as far as the configuration has one to give. */
function completed(config: ResponderConfig): ConnectionEvidence {
  for (const [version, suites, groups] of [
    ['TLSv1.3', suites13, groups13],
    ['TLSv1.2', suites12, groups12],
  ] as const) {
    const answer = answerOf(config, { kind: 'hello', topic: 'tls12', version, suites, groups, schemes: [0x0401, 0x0403, 0x0804] });
    const hello = answer.kind === 'hello' ? answer.flight.hello : undefined;
    if (hello?.version !== ProtocolVersion[version]) continue;
    const chain = (certificates[0]?.chain ?? []).map((der) => Buffer.from(der).toString('base64'));
    const pkix = { chain: 'trusted', validity: 'valid', problems: [] } as const;
    return plantedConnection({ handshake: { version, suite: suiteName(hello.suite), sni: 'mx.planted.example', chain, pkix } });
  }
  return plantedConnection({ starttls: 'offered', failure: { code: 'tls-no-shared-version', detail: '' } });
}

async function evidenceAt(
  config: ResponderConfig,
  profile: Profile,
  depth: Depth,
  budget: number,
): Promise<{ evidence: Evidence; spent: number }> {
  const goals = goalsOf(profile, depth);
  assert.ok(goals);
  const first = completed(config);
  const connections: ConnectionEvidence[] = [first];
  const log: ProbeRecord[] = [];
  await runProbes({
    goals,
    budget: budget - 1,
    log,
    ask: (question) => {
      const answer = answerOf(config, question);
      const probe = probeEvidence({ question, answer });
      connections.push({
        ...plantedConnection({ starttls: 'offered' }),
        purpose: 'probe',
        ...(probe ? { probe } : {}),
        ...(answer.kind === 'hello' && answer.flight.certificates
          ? {
              presented: {
                sni: 'mx.planted.example',
                chain: answer.flight.certificates.map((der) => Buffer.from(der).toString('base64')),
                pkix: { chain: 'trusted' as const, validity: 'valid' as const, problems: [] },
              },
            }
          : {}),
      });
      return Promise.resolve(answer);
    },
  });
  const addresses = [{ ip: '192.0.2.25', status: 'reachable' as const, connections }];
  return { evidence: plantedEvidence({ depth, hosts: [plantedHost({ addresses })] }), spent: connections.length };
}

const usable12 = suites12.filter((id) => /TLS_(RSA|DHE_RSA|ECDHE_RSA|ECDHE_ECDSA|DH_anon|ECDH_anon)_/.test(suiteName(id)));
const drawn = fc.record({
  versions: fc.subarray([0x0300, 0x0301, 0x0302, 0x0303, 0x0304], { minLength: 1 }),
  suites: fc
    .tuple(
      fc.shuffledSubarray([...usable12], { minLength: 1, maxLength: 30 }),
      fc.shuffledSubarray([...suites13], { minLength: 1, maxLength: 4 }),
    )
    .map(([a, b]) => [...a, ...b]),
  groups: fc
    .shuffledSubarray([...new Set([...groups12, ...groups13])], { minLength: 2, maxLength: 8 })
    .map((list) => [...new Set([...list, 23])]),
  keys: fc.constantFrom('RSA and ECDSA' as const, 'RSA' as const, 'ECDSA' as const),
  preference: fc.constantFrom('server' as const, 'client' as const),
  compression: fc.boolean(),
  extendedMasterSecret: fc.boolean(),
  secureRenegotiation: fc.boolean(),
  ssl2Ciphers: fc.option(fc.constant([0x010080]), { nil: undefined, freq: 5 }),
});

/** Certificates come in here, so that a counterexample does not print them. */
function configOf({ keys, ...config }: typeof drawn extends fc.Arbitrary<infer T> ? T : never): ResponderConfig {
  return { ...config, certificates: certificates.filter((_, i) => keys.split(' ').includes(['RSA', 'ECDSA'][i] ?? '')) };
}

const failing = (result: ReturnType<typeof grade>): string[] =>
  [...new Set(result.findings.filter((f) => f.severity === 'fail').map((f) => f.id))].sort();

for (const profile of profiles)
  test(
    `${profile.name}: the verdict within 14 connections is that of the whole inventory, over random servers`,
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(drawn, async (server) => {
          const config = configOf(server);
          const [brief, whole] = [await evidenceAt(config, profile, 'verdict', 14), await evidenceAt(config, profile, 'inventory', 1000)];
          assert.ok(brief.spent <= 14, `${brief.spent} connections`);
          const [a, b] = [grade(brief.evidence, profile), grade(whole.evidence, profile)];
          assert.deepEqual(failing(a), failing(b));
          assert.equal(a.verdict, b.verdict);
        }),
        { numRuns: 200, seed: 20261124 },
      );
    },
  );

test('evidence taken for one profile is never graded better under another: what was not asked is inconclusive', async () => {
  const config: ResponderConfig = { versions: [0x0303, 0x0304], suites: [0x1301, 0xc02f, 0xc013, 0x000a], groups: [29, 23], certificates };
  const [baseline] = profiles;
  assert.ok(baseline);
  const { evidence } = await evidenceAt(config, baseline, 'verdict', 14);
  for (const profile of profiles) {
    const whole = grade((await evidenceAt(config, profile, 'inventory', 1000)).evidence, profile);
    const seen = grade(evidence, profile);
    assert.ok(
      seen.verdict === whole.verdict || seen.verdict === 'inconclusive',
      `${profile.name}: ${seen.verdict}, whole ${whole.verdict}`,
    );
  }
});

test('the plan ends: no question is asked twice, whatever the server answers', async () => {
  const [baseline] = profiles;
  assert.ok(baseline);
  const goals = goalsOf(baseline, 'inventory');
  assert.ok(goals);
  for (const answer of [{ kind: 'refused' }, { kind: 'refused', alert: 40 }] as const) {
    const log = await runProbes({ goals, budget: 1000, ask: () => Promise.resolve(answer) });
    assert.ok(log.length < 12, `${log.length} questions to a server that refuses all`);
    assert.equal(nextQuestion(log, goals), undefined);
  }
});
