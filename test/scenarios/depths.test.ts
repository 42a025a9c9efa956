import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { goalsOf, grade, profiles, type Profile } from '../../src/check/index.js';
import {
  probeEvidence,
  probeLog,
  type ConnectionEvidence,
  type Depth,
  type Evidence,
  type PresentedChain,
} from '../../src/evidence/index.js';
import { answerHello, type ResponderConfig } from '../../src/lab/index.js';
import { createCa, generateKey, issue } from '../../src/pki/index.js';
import {
  FlightReader,
  groups12,
  groups13,
  groupName,
  helloFor,
  buildClientHello,
  nextQuestion,
  ProtocolVersion,
  readClientHello,
  runProbes,
  suiteName,
  suites12,
  suites13,
  type TlsAnswer,
  type ProbeRecord,
  type TlsQuestion,
} from '../../src/tls/index.js';
import {
  plantedConnection,
  plantedEvidence,
  plantedHost,
} from '../support/check/planted-evidence.js';
import { testSize } from '../support/test-size.js';

const ca = createCa({ name: 'Depths' });
const certificates = (['rsa-2048', 'p256'] as const).map((kind) => {
  const issued = issue(ca, { names: ['mx.planted.example'], key: generateKey(kind) });
  return { chain: issued.chain, key: createPrivateKey(issued.keyPem) };
});

/** Returns the answer of a configured server, through the octets of the wire. */
function answerOf(config: ResponderConfig, question: TlsQuestion): TlsAnswer {
  if (question.kind === 'ssl2')
    return config.ssl2Ciphers ? { kind: 'ssl2', ciphers: config.ssl2Ciphers } : { kind: 'refused' };
  if (question.kind === 'handshake') return keyShown(config, question.authentication);
  assert.equal(question.kind, 'hello');
  const hello = readClientHello(
    buildClientHello(helloFor(question, new Uint8Array(64), 'mx.planted.example')),
  );
  assert.ok(hello && hello !== 'more');
  const { bytes } = answerHello(config, hello);
  const reader = new FlightReader();
  reader.push(bytes);
  const { flight } = reader;
  return flight.hello
    ? { kind: 'hello', flight }
    : { kind: 'refused', ...(flight.alert ? { alert: flight.alert.description } : {}) };
}

/** Answers a TLS 1.3 handshake that accepts only one kind of key. */
function keyShown(
  { versions, certificates: own, suites, groups }: ResponderConfig,
  key: 'RSA' | 'ECDSA' | 'any',
): TlsAnswer {
  const found = own.find((c) => c.key.asymmetricKeyType === (key === 'ECDSA' ? 'ec' : 'rsa'));
  const suite = suites.find((id) => suites13.includes(id));
  if (
    !found ||
    suite === undefined ||
    groups.length === 0 ||
    !versions.includes(ProtocolVersion['TLSv1.3'])
  )
    return { kind: 'refused' };
  return { kind: 'handshake', version: 'TLSv1.3', suite: suiteName(suite), chain: found.chain };
}

/** Returns the first handshake of an ordinary client, if the server completes one. */
function completed(
  answer: (question: TlsQuestion) => TlsAnswer,
  chain: readonly Uint8Array[],
): ConnectionEvidence {
  for (const [version, suites, groups] of [
    ['TLSv1.3', suites13, groups13],
    ['TLSv1.2', suites12, groups12],
  ] as const) {
    const answered = answer({
      kind: 'hello',
      topic: 'tls12',
      version,
      suites,
      groups,
      schemes: [0x0401, 0x0403, 0x0804],
    });
    if (answered.kind !== 'hello') continue;
    const { hello, keyExchange } = answered.flight;
    if (hello?.version !== ProtocolVersion[version]) continue;
    const group = hello.group ?? (keyExchange?.kind === 'ecdhe' ? keyExchange.group : undefined);
    const named = typeof group === 'number' ? { group: groupName(group) } : {};
    return plantedConnection({
      handshake: { version, suite: suiteName(hello.suite), ...named, ...shown(chain) },
    });
  }
  return plantedConnection({
    starttls: 'offered',
    failure: { code: 'tls-no-shared-version', detail: '' },
  });
}

async function evidenceAt(
  first: ConnectionEvidence,
  answer: (question: TlsQuestion) => TlsAnswer,
  profile: Profile,
  depth: Depth,
): Promise<Evidence> {
  const goals = goalsOf(profile, depth);
  assert.ok(goals);
  const connections: ConnectionEvidence[] = [first];
  await runProbes({
    goals,
    budget: depth === 'verdict' ? 13 : 1000,
    log: probeLog(connections),
    ask: (question) => {
      const answered = answer(question);
      connections.push(asked({ question, answer: answered }));
      return Promise.resolve(answered);
    },
  });
  const addresses = [{ ip: '192.0.2.25', status: 'reachable' as const, connections }];
  return plantedEvidence({ depth, hosts: [plantedHost({ addresses })] });
}

function asked(record: ProbeRecord): ConnectionEvidence {
  const { answer } = record;
  const probe = probeEvidence(record);
  const chain = answer.kind === 'hello' ? answer.flight.certificates : undefined;
  return {
    ...plantedConnection({ starttls: 'offered' }),
    purpose: 'probe',
    ...(probe ? { probe } : {}),
    ...(answer.kind === 'handshake'
      ? { handshake: { version: 'TLSv1.3', suite: answer.suite, ...shown(answer.chain) } }
      : {}),
    ...(chain ? { presented: shown(chain) } : {}),
  };
}

function shown(chain: readonly Uint8Array[]): PresentedChain {
  const pkix = { chain: 'trusted', validity: 'valid', problems: [] } as const;
  return {
    sni: 'mx.planted.example',
    chain: chain.map((der) => Buffer.from(der).toString('base64')),
    pkix,
  };
}

const usable12 = suites12.filter((id) =>
  /TLS_(RSA|DHE_RSA|ECDHE_RSA|ECDHE_ECDSA|DH_anon|ECDH_anon)_/.test(suiteName(id)),
);
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
  certificateFirst: fc.boolean(),
  prioritisesChaCha: fc.boolean(),
  compression: fc.boolean(),
  extendedMasterSecret: fc.boolean(),
  secureRenegotiation: fc.boolean(),
  ssl2Ciphers: fc.option(fc.constant([0x010080]), { nil: undefined, freq: 5 }),
});

/** Adds the certificates here, so that a printed counterexample omits them. */
function configOf({
  keys,
  ...config
}: typeof drawn extends fc.Arbitrary<infer T> ? T : never): ResponderConfig {
  return {
    ...config,
    certificates: certificates.filter((_, i) =>
      keys.split(' ').includes(['RSA', 'ECDSA'][i] ?? ''),
    ),
  };
}

const failing = (result: ReturnType<typeof grade>): string[] =>
  [...new Set(result.findings.filter((f) => f.severity === 'fail').map((f) => f.id))].sort();

/** Examines the same server under every profile and answers each question once. */
function depthsOf(server: ResponderConfig) {
  const answers = new Map<string, TlsAnswer>();
  const answer = (question: TlsQuestion): TlsAnswer => {
    const key = JSON.stringify(question);
    const known = answers.get(key) ?? answerOf(server, question);
    answers.set(key, known);
    return known;
  };
  const first = completed(answer, server.certificates[0]?.chain ?? []);
  return Promise.all(
    profiles.map(async (profile) => {
      const brief = await evidenceAt(first, answer, profile, 'verdict');
      const whole = await evidenceAt(first, answer, profile, 'inventory');
      return { profile, brief, whole, truth: grade(whole, profile) };
    }),
  );
}

const spent = ({ hosts }: Evidence): number => hosts[0]?.addresses[0]?.connections.length ?? 0;

test(
  '14 connections give the verdict of the inventory; fewer never give a better one',
  { timeout: 240_000 },
  async () => {
    const anyProfile = fc.nat(profiles.length - 1);
    const property = fc.asyncProperty(
      drawn,
      anyProfile,
      anyProfile,
      fc.integer({ min: 1, max: 14 }),
      async (server, asked, other, cut) => {
        const depths = await depthsOf(configOf(server));
        for (const { profile, brief, truth } of depths) {
          assert.ok(spent(brief) <= 14, `${profile.name}: ${spent(brief)} connections`);
          const seen = grade(brief, profile);
          assert.deepEqual(
            [seen.verdict, failing(seen)],
            [truth.verdict, failing(truth)],
            profile.name,
          );
        }
        const [{ brief, whole }, { profile, truth }] = [depths[asked], depths[other]] as [
          Depths,
          Depths,
        ];
        const elsewhere = grade(whole, profile);
        assert.deepEqual(
          [elsewhere.verdict, failing(elsewhere)],
          [truth.verdict, failing(truth)],
          `an inventory, under ${profile.name}`,
        );
        const part = grade(cutShort(brief, cut), profile);
        if (part.verdict !== 'inconclusive')
          assert.equal(part.verdict, truth.verdict, `${cut} connections, under ${profile.name}`);
        for (const id of failing(part)) assert.ok(failing(truth).includes(id), id);
      },
    );
    await fc.assert(property, { numRuns: testSize(40, 250), seed: 20261124 });
  },
);

type Depths = Awaited<ReturnType<typeof depthsOf>>[number];

function cutShort(evidence: Evidence, connections: number): Evidence {
  const hosts = evidence.hosts.map((h) => ({
    ...h,
    addresses: h.addresses.map((a) => ({ ...a, connections: a.connections.slice(0, connections) })),
  }));
  return { ...evidence, hosts };
}

test('the plan terminates and asks no question twice', async () => {
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
