import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { generateKey, selfSigned } from '../../pki/index.js';
import {
  groups as groupTable,
  suites as suiteTable,
  ProtocolVersion,
  type ServerFlight,
} from '../wire/index.js';
import {
  groups12,
  groups13,
  only,
  suites12,
  suites13,
  suitesOld,
  type HelloVersion,
  type TlsQuestion,
} from './question.js';
import {
  infer,
  runProbes,
  evaluate,
  summarise,
  type TlsAnswer,
  type Goals,
  type Inventory,
  type Inference,
} from './index.js';

const certificates = {
  RSA: selfSigned({ names: ['mx.example'], key: generateKey('rsa-2048') }).der,
  ECDSA: selfSigned({ names: ['mx.example'], key: generateKey('p256') }).der,
};

/** The configuration of a simulated server, which the planner must determine. */
interface Model {
  readonly versions: readonly HelloVersion[];
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly preference: 'server' | 'client';
  readonly keys: readonly ('RSA' | 'ECDSA')[];
}

const inventory: Goals = { inventory: true, asks: [{ kind: 'ssl2' }, { kind: 'dhe' }] };

/**
 * Answers as real TLS libraries do: highest common version, then the first suite that
 * both sides can use with the available keys and groups.
 */
function answerOf(model: Model, question: TlsQuestion): TlsAnswer {
  if (question.kind !== 'hello') return { kind: 'refused' };
  const ceiling = ProtocolVersion[question.version];
  const version = model.versions
    .filter((v) =>
      question.version === 'TLSv1.3'
        ? v === 'TLSv1.3'
        : v !== 'TLSv1.3' && ProtocolVersion[v] <= ceiling,
    )
    .sort((a, b) => ProtocolVersion[b] - ProtocolVersion[a])[0];
  if (!version) return { kind: 'refused', alert: 70 };
  const firstOf = (mine: readonly number[], theirs: readonly number[]): number[] =>
    model.preference === 'server'
      ? mine.filter((x) => theirs.includes(x))
      : theirs.filter((x) => mine.includes(x));
  const group = firstOf(model.groups, question.groups).find(
    (g) => version === 'TLSv1.3' || groupTable.get(g)?.kind === 'ec',
  );
  const suite = firstOf(model.suites, question.suites).find((id) => {
    const s = suiteTable.get(id);
    if (!s || s.tls13 !== (version === 'TLSv1.3')) return false;
    if (s.tls13) return group !== undefined;
    if (version !== 'TLSv1.2' && !suitesOld.includes(id)) return false;
    if (
      s.authentication === 'ECDSA' &&
      !(model.keys.includes('ECDSA') && question.groups.includes(23))
    )
      return false;
    if (s.authentication === 'RSA' && !model.keys.includes('RSA')) return false;
    return s.keyExchange !== 'ECDHE' || group !== undefined;
  });
  if (suite === undefined) return { kind: 'refused', alert: 40 };
  const described = suiteTable.get(suite);
  const flight: ServerFlight = {
    hello: {
      version: ProtocolVersion[version],
      suite,
      compression: 0,
      retry: version === 'TLSv1.3',
      ...(version === 'TLSv1.3' ? { group: group as number } : {}),
      extensions: [],
      extendedMasterSecret: true,
      encryptThenMac: false,
      secureRenegotiation: true,
      sessionTicket: false,
    },
    ...(described?.keyExchange === 'ECDHE'
      ? { keyExchange: { kind: 'ecdhe' as const, group: group as number } }
      : {}),
    ...(described?.keyExchange === 'DHE'
      ? {
          keyExchange: {
            kind: 'dhe' as const,
            prime: new Uint8Array(256).fill(255),
            generator: Uint8Array.of(2),
          },
        }
      : {}),
    ...(version !== 'TLSv1.3' && described?.authentication !== 'none'
      ? { certificates: [certificates[described?.authentication === 'ECDSA' ? 'ECDSA' : 'RSA']] }
      : {}),
  };
  return { kind: 'hello', flight };
}

async function inventoryOf(
  model: Model,
  goals: Goals = inventory,
  budget = 500,
): Promise<{ found: Inventory; proven: Inference; connections: number }> {
  const log = await runProbes({
    ask: (question) => Promise.resolve(answerOf(model, question)),
    goals,
    budget,
  });
  const proven = infer(log);
  return { found: summarise(proven), proven, connections: log.length };
}

const modern: Model = {
  versions: ['TLSv1.2', 'TLSv1.3'],
  suites: [0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc02b, 0xc02f],
  groups: [29, 23, 30, 25, 24],
  preference: 'server',
  keys: ['ECDSA', 'RSA'],
};

const sorted = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);

test('a modern server: complete inventory in about twenty connections', async () => {
  const { found, connections } = await inventoryOf(modern);
  assert.deepEqual(sorted(found.suites['TLSv1.3'].accepted), sorted([0x1301, 0x1302, 0x1303]));
  assert.deepEqual(
    found.suites['TLSv1.3'].accepted,
    [0x1302, 0x1303, 0x1301],
    'in the server order',
  );
  assert.deepEqual(
    sorted(found.suites['TLSv1.2'].accepted),
    sorted([0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc02b, 0xc02f]),
  );
  assert.deepEqual(sorted(found.groups.accepted), sorted(modern.groups));
  assert.equal(found.versions['TLSv1.1'], 'refused');
  assert.equal(found.versions.SSLv3, 'refused');
  assert.deepEqual(found.order, { 'TLSv1.3': 'server', 'TLSv1.2': 'server' });
  assert.equal(found.chains.length, 2);
  assert.ok(connections <= 20, `${connections} connections`);
});

test('a question about a set of suites costs one connection', async () => {
  const rc4Asked = {
    kind: 'suites',
    id: 'rc4',
    suites: only(suites12, (s) => s.cipher === 'RC4'),
  } as const;
  const wide: Model = {
    ...modern,
    suites: [...suites12, ...suites13],
    versions: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
  };
  const goals: Goals = {
    inventory: false,
    asks: [
      { kind: 'version', version: 'TLSv1.1' },
      { kind: 'version', version: 'SSLv3' },
      { kind: 'ssl2' },
      rc4Asked,
      { kind: 'dhe' },
      { kind: 'signatures', id: 'sha1', schemes: [0x0201, 0x0203] },
    ],
  };
  for (const [model, rc4] of [
    [modern, 'refused'],
    [wide, 'accepted'],
  ] as const) {
    const { proven, connections } = await inventoryOf(model, goals);
    assert.equal(evaluate(proven, rc4Asked).settled, rc4);
    assert.ok(connections <= 12, `${connections} connections`);
  }
});

test('suites of a key hidden behind an ECDSA certificate are found', async () => {
  const asHaproxy = (question: TlsQuestion): TlsAnswer => {
    const ecdsa =
      question.kind === 'hello' &&
      question.suites.some((id) => suiteTable.get(id)?.authentication === 'ECDSA');
    return answerOf({ ...modern, keys: ecdsa ? ['ECDSA'] : ['RSA'] }, question);
  };
  const found = summarise(
    infer(
      await runProbes({ ask: (q) => Promise.resolve(asHaproxy(q)), goals: inventory, budget: 500 }),
    ),
  );
  assert.deepEqual(
    sorted(found.suites['TLSv1.2'].accepted),
    sorted([0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc02b, 0xc02f]),
  );
  assert.equal(found.suites['TLSv1.2'].complete, true);
  assert.equal(found.helloSizeIntolerant, false);
});

test('a server that prioritises ChaCha20 still has its own order', async () => {
  const chaCha = (id: number | undefined): boolean =>
    suiteTable.get(id ?? 0)?.cipher === 'CHACHA20';
  const turned = [...modern.suites].sort((a, b) => Number(chaCha(b)) - Number(chaCha(a)));
  const ask = (question: TlsQuestion): Promise<TlsAnswer> =>
    Promise.resolve(
      answerOf(
        question.kind === 'hello' && chaCha(question.suites[0])
          ? { ...modern, suites: turned }
          : modern,
        question,
      ),
    );
  assert.deepEqual(
    summarise(infer(await runProbes({ ask, goals: inventory, budget: 500 }))).order,
    {
      'TLSv1.3': 'server',
      'TLSv1.2': 'server',
    },
  );
});

test('a TLS 1.2 server shows each named finite-field group and its own group', async () => {
  const prime = (bits: number): Uint8Array =>
    Uint8Array.from(
      { length: bits / 8 },
      (_, i) => [...Buffer.from('ffffffffffffffffadf85458a2bb4a9a', 'hex')][i] ?? 1,
    );
  const ask = (question: TlsQuestion): Promise<TlsAnswer> => {
    const answer = answerOf(
      { ...modern, versions: ['TLSv1.2'], suites: [0xc02f, 0x009e] },
      question,
    );
    if (
      question.kind !== 'hello' ||
      answer.kind !== 'hello' ||
      answer.flight.keyExchange?.kind !== 'dhe'
    )
      return Promise.resolve(answer);
    const named = question.groups.some((id) => id >= 256);
    const agreed = question.groups.find((id) => id === 256 || id === 258);
    if (named && agreed === undefined) return Promise.resolve({ kind: 'refused', alert: 40 });
    const keyExchange = {
      ...answer.flight.keyExchange,
      prime: prime(agreed === 258 ? 4096 : 2048),
    };
    return Promise.resolve({ kind: 'hello', flight: { ...answer.flight, keyExchange } });
  };
  const found = summarise(infer(await runProbes({ ask, goals: inventory, budget: 500 })));
  assert.deepEqual(
    found.groups.accepted.filter((id) => id >= 256),
    [256, 258],
  );
  assert.equal(found.dhe?.prime.length, 256);
});

test('TLS 1.3: finite-field groups are found', async () => {
  const { found } = await inventoryOf({ ...modern, versions: ['TLSv1.3'], groups: [29, 256, 257] });
  assert.deepEqual(sorted(found.groups.accepted), [29, 256, 257]);
});

test('a prime of the right length is not a group of RFC 7919', async () => {
  const accepted = async (prime: (bits: number) => Uint8Array): Promise<readonly number[]> => {
    const ask = (question: TlsQuestion): Promise<TlsAnswer> => {
      const answer = answerOf(
        { ...modern, versions: ['TLSv1.2'], suites: [0xc02f, 0x009e] },
        question,
      );
      if (
        question.kind !== 'hello' ||
        answer.kind !== 'hello' ||
        answer.flight.keyExchange?.kind !== 'dhe'
      )
        return Promise.resolve(answer);
      return Promise.resolve({
        kind: 'hello',
        flight: {
          ...answer.flight,
          keyExchange: {
            ...answer.flight.keyExchange,
            prime: prime(Math.min(...question.groups) === 256 ? 2048 : 3072),
          },
        },
      });
    };
    return summarise(
      infer(await runProbes({ ask, goals: inventory, budget: 500 })),
    ).groups.accepted.filter((id) => id >= 256);
  };
  assert.deepEqual(await accepted((bits) => new Uint8Array(bits / 8).fill(0xff)), []);
  const rfc7919 = Buffer.from('ffffffffffffffffadf85458a2bb4a9a', 'hex');
  // The prime has a length that no RFC 7919 group has.
  assert.deepEqual(await accepted(() => Uint8Array.from([...rfc7919, ...new Uint8Array(100)])), []);
});

test('a refusal because of signature schemes proves nothing about the suites', async () => {
  const goals: Goals = {
    inventory: true,
    asks: [{ kind: 'signatures', id: 'sha1', schemes: [0x0201, 0x0203] }],
  };
  const ask = (question: TlsQuestion): Promise<TlsAnswer> =>
    Promise.resolve(
      question.kind === 'hello' && question.schemes.length < 10
        ? { kind: 'refused', alert: 40 }
        : answerOf(modern, question),
    );
  const proven = infer(await runProbes({ ask, goals, budget: 500 }));
  assert.equal(proven.mostSuites, Infinity);
  assert.equal(
    evaluate(proven, { kind: 'suites', id: '', suites: modern.suites }).settled,
    'accepted',
  );
});

test('an interrupted run is completed from its log and repeats no question', async () => {
  const ask = (question: TlsQuestion): Promise<TlsAnswer> =>
    Promise.resolve(answerOf(modern, question));
  const whole = await runProbes({ ask, goals: inventory, budget: 500 });
  let log = await runProbes({ ask, goals: inventory, budget: 3 });
  assert.equal(log.length, 3);
  while (log.length < whole.length)
    log = await runProbes({ ask, goals: inventory, log, budget: 2 });
  assert.deepEqual(log, whole);
});

test('a server that stops answering gets no further question; silence proves nothing', async () => {
  let left = 2;
  const log = await runProbes({
    ask: (q) =>
      Promise.resolve(left-- > 0 ? answerOf(modern, q) : { kind: 'none', reason: 'rate limit' }),
    goals: inventory,
    budget: 500,
  });
  assert.equal(log.length, 2);
  const found = summarise(infer(log));
  assert.equal(found.versions['TLSv1.1'], 'unknown');
  assert.equal(found.suites['TLSv1.2'].complete, false);
});

const some = (list: readonly number[], max: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray([...list], { minLength: 1, maxLength: max });
const arbitraryModel: fc.Arbitrary<Model> = fc.record({
  versions: fc.subarray(['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as HelloVersion[], {
    minLength: 1,
  }),
  suites: fc
    .tuple(
      some(
        suites12.filter((id) =>
          ['RSA', 'ECDSA', 'none'].includes(suiteTable.get(id)?.authentication ?? ''),
        ),
        40,
      ),
      some(suites13, 5),
    )
    .map(([a, b]) => [...a, ...b]),
  groups: fc
    .tuple(some(groups12, 6), some(groups13, 3))
    .map(([a, b]) => [...new Set([...a, ...b, 23])]),
  preference: fc.constantFrom('server', 'client'),
  keys: fc.constantFrom(['RSA'], ['ECDSA'], ['RSA', 'ECDSA']),
});

test("property: an inventory equals the server's settings, within the limit", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryModel, async (model) => {
      const { found, connections } = await inventoryOf(model);
      const accepts = (
        version: HelloVersion,
        suites: readonly number[],
        groups: readonly number[],
      ): boolean =>
        answerOf(model, { kind: 'hello', topic: 'tls12', version, suites, groups, schemes: [] })
          .kind === 'hello';
      const speaks = (version: HelloVersion): boolean => {
        const a = answerOf(model, {
          kind: 'hello',
          topic: 'tls12',
          version,
          suites: version === 'TLSv1.3' ? suites13 : suites12,
          groups: version === 'TLSv1.3' ? groups13 : groups12,
          schemes: [],
        });
        return a.kind === 'hello' && a.flight.hello?.version === ProtocolVersion[version];
      };
      let bound = 1;
      for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
        const all = version === 'TLSv1.3' ? suites13 : suites12;
        const groups = version === 'TLSv1.3' ? groups13 : groups12;
        const truth = speaks(version) ? all.filter((id) => accepts(version, [id], groups)) : [];
        assert.deepEqual(sorted(found.suites[version].accepted), sorted(truth), version);
        assert.equal(found.versions[version], speaks(version) ? 'accepted' : 'refused');
        // Only the answers with an elliptic-curve suite name a curve.
        const curved = truth
          .map((id) => suiteTable.get(id))
          .filter((s) => s?.tls13 || s?.keyExchange === 'ECDHE').length;
        bound += speaks(version)
          ? truth.length - curved + Math.max(curved, curved > 0 ? model.groups.length : 0) + 3
          : 1;
      }
      for (const version of ['TLSv1.1', 'TLSv1', 'SSLv3'] as const) {
        const truth = suitesOld.filter((id) => accepts(version, [id], groups12));
        const spoken = model.versions.includes(version) && truth.length > 0;
        if (spoken)
          assert.deepEqual(sorted(found.suites[version].accepted), sorted(truth), version);
        bound += spoken ? truth.length + 2 : 0;
      }
      // Without TLS 1.2, each certificate needs a completed handshake.
      if (speaks('TLSv1.3') && !speaks('TLSv1.2')) bound += 2;
      // An ECDSA suite with the curve of the certificate does not show the other curves.
      if (!speaks('TLSv1.3') && model.keys.length === 2) bound += 3;
      // If a server with an ECDSA certificate refuses a hello, the question is repeated
      // without ECDSA suites: the server may have another certificate.
      if (!model.keys.includes('RSA')) bound += 1;
      assert.ok(connections <= bound + 4, `${connections} connections, bound ${bound}`);
    }),
    { numRuns: 150, seed: 20261124 },
  );
});

test('every version and suite set has an answer in 13 connections, for any server', async () => {
  const asks = [
    ...(['TLSv1.1', 'TLSv1', 'SSLv3'] as const).map((version) => ({
      kind: 'version' as const,
      version,
    })),
    { kind: 'ssl2' as const },
    ...[suites12.slice(-25), suites12.slice(-50, -25), suites12.slice(-75, -50)].map(
      (suites, i) => ({ kind: 'suites' as const, id: `set.${i}`, suites }),
    ),
  ];
  const all = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
  for (let mask = 1; mask < 32; mask++)
    for (const keys of [['ECDSA', 'RSA'], ['RSA'], ['ECDSA']] as const)
      for (const preference of ['server', 'client'] as const) {
        const versions = all.filter((_, i) => (mask & (1 << i)) !== 0);
        const model = {
          ...modern,
          versions,
          keys,
          preference,
          suites: [...modern.suites, ...suitesOld],
        };
        const { found, connections } = await inventoryOf(model, { inventory: false, asks });
        assert.ok(connections <= 13, `${versions.join()} ${keys.join()}: ${connections}`);
        for (const version of all)
          assert.equal(
            found.versions[version],
            versions.includes(version) ? 'accepted' : 'refused',
            `${versions.join()} ${keys.join()} ${preference}: ${version}`,
          );
      }
});
