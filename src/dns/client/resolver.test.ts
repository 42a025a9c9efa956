import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import test from 'node:test';
import { concat, Name } from '../../base/index.js';
import { nodeNetwork, type Network } from '../../net/index.js';
import { dnskeyRecord, dsRecord, generateZoneKey, signRrset } from '../dnssec/sign/index.js';
import type { TrustAnchor } from '../dnssec/validate/index.js';
import type { ResourceRecord } from '../types.js';
import { decodeMessage, encodeMessage } from '../wire/codec.js';
import type { Message } from '../wire/message.js';
import { encodeTypeBitmap, makeRecord, readDs } from '../wire/rdata.js';
import { Rcode, RRType, typeNumber } from '../wire/types-registry.js';
import { createResolver, type ResolverOptions } from './resolver.js';
import type { Upstream } from './upstream.js';
import { FakeClock } from '../../../test/support/fake-clock.js';

const now = Date.UTC(2026, 10, 23);
const host = Name.of('mx.test');
const key = generateZoneKey(13);
const ds = readDs(dsRecord(Name.root, key));
assert.ok(ds.ok);
const anchors: readonly TrustAnchor[] = [{ zone: Name.root, ds: [ds.value], keys: [] }];

/**
 * The behaviour of an upstream: returns its answer to a query, or undefined if it sends
 * none.
 */
type Behaviour = (query: Message) => Partial<Message> | undefined;

function signed(...records: readonly ResourceRecord[]): readonly ResourceRecord[] {
  return [
    ...records,
    signRrset(records, key, Name.root, {
      inception: now - 86_400_000,
      expiration: now + 86_400_000,
    }),
  ];
}

function address(last: number, ttl = 300): ResourceRecord {
  return makeRecord(host, RRType.A, ttl, Uint8Array.of(192, 0, 2, last));
}

function nsec(owner: Name, next: Name, types: string): ResourceRecord {
  const named = types.split(' ').flatMap((type) => typeNumber(type) ?? []);
  return makeRecord(
    owner,
    RRType.NSEC,
    300,
    concat(next.wire, encodeTypeBitmap([...named, RRType.RRSIG, RRType.NSEC])),
  );
}

/** Answers as a root zone with one signed host. */
const honest: Behaviour = ({ questions: [asked] }) => {
  if (asked?.name.isRoot && asked.type === RRType.DNSKEY)
    return { answers: signed(dnskeyRecord(Name.root, key)) };
  if (asked?.name.equals(host) && asked.type === RRType.A) return { answers: signed(address(1)) };
  // `test` is an empty non-terminal: the next name in the root's NSEC record is below
  // `test`.
  if (asked?.type === RRType.DS)
    return {
      authorities: [
        ...signed(nsec(Name.root, host, 'NS SOA DNSKEY')),
        ...signed(nsec(host, Name.root, 'A')),
      ],
    };
  return { rcode: Rcode.SERVFAIL };
};
const forging: Behaviour = (query) => {
  const reply = honest(query);
  return {
    ...reply,
    answers: (reply?.answers ?? []).map((rr) => (rr.type === RRType.A ? address(66) : rr)),
  };
};
const stripping: Behaviour = (query) => {
  const reply = honest(query);
  return {
    ...reply,
    answers: (reply?.answers ?? []).filter((rr) => rr.type !== RRType.RRSIG),
    authorities: [],
  };
};
const silent: Behaviour = () => undefined;

function reply(query: Message, changes: Partial<Message>): Uint8Array {
  return encodeMessage({ ...query, response: true, recursionAvailable: true, ...changes });
}

function scene(behaviours: readonly Behaviour[], options: Partial<ResolverOptions> = {}) {
  const asked: string[] = [];
  const clock = new FakeClock(now, 'skip');
  const network: Network = {
    dial: () =>
      Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: 'ECONNREFUSED' } }),
    async exchange({ to, query, accept, signal }) {
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw signal.reason as Error;
      const decoded = decodeMessage(query);
      assert.ok(decoded.ok);
      asked.push(`${to.port} ${decoded.value.questions[0]?.type ?? 0}`);
      const changes = (behaviours[to.port - 1] as Behaviour)(decoded.value);
      const bytes = changes && reply(decoded.value, changes);
      if (!bytes || !accept(bytes, to))
        return { ok: false, failure: { code: 'net-timeout', detail: '' } };
      return { ok: true, bytes };
    },
  };
  const upstreams = behaviours.map((_, i): Upstream => ({
    address: '192.0.2.53',
    port: i + 1,
    label: `#${i + 1}`,
  }));
  const resolver = createResolver({ network, upstreams, anchors, clock, ...options });
  return { resolver, asked, clock, states: () => resolver.health().upstreams.map((u) => u.state) };
}

/** Waits until the resolver has sent the zone queries that accompany the question. */
const questionsAhead = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const lastOctet = (records: readonly ResourceRecord[]): number | undefined => records[0]?.rdata[3];

// [7672-2.1.1-1]
test('a signed answer is secure and cached for its TTL', async () => {
  const { resolver, asked, clock } = scene([honest]);
  const answer = await resolver.ask(host, RRType.A);
  assert.equal(answer.dnssec, 'secure');
  await questionsAhead();
  const before = asked.length;
  await resolver.ask(Name.of('MX.Test'), RRType.A);
  assert.equal(asked.length, before);
  clock.at += 301_000;
  await resolver.ask(host, RRType.A);
  assert.deepEqual(
    asked.slice(before),
    [`1 ${RRType.A}`],
    'the zone is still proved, only the data is asked',
  );
});

test('after a forged answer the next resolver is asked, and the forger is reported', async () => {
  const { resolver, states } = scene([forging, honest]);
  const answer = await resolver.ask(host, RRType.A);
  assert.equal(answer.dnssec, 'secure');
  assert.equal(lastOctet(answer.records), 1);
  assert.deepEqual(states(), ['forges', 'answers']);
});

test('a forged answer is bogus and cached briefly', async () => {
  const { resolver, asked, clock } = scene([forging]);
  assert.equal((await resolver.ask(host, RRType.A)).dnssec, 'bogus');
  const before = asked.length;
  const again = await resolver.ask(host, RRType.A);
  assert.deepEqual([again.status, again.records.length, asked.length], ['failed', 0, before]);
  clock.at += 5_001;
  await resolver.ask(host, RRType.A);
  assert.ok(asked.length > before);
});

test('a stripping resolver is reported; its data never counts as insecure', async () => {
  const { resolver, states } = scene([stripping]);
  const answer = await resolver.ask(host, RRType.A);
  assert.deepEqual(
    [answer.status, answer.dnssec, answer.failure?.code],
    ['failed', 'indeterminate', 'dnssec-stripped'],
  );
  assert.deepEqual(states(), ['strips-dnssec']);
  const unproved = await resolver.ask(host, RRType.A, { acceptUnvalidated: true });
  assert.deepEqual(
    [unproved.status, unproved.dnssec, lastOctet(unproved.records)],
    ['found', 'indeterminate', 1],
  );
});

test('a denial from a resolver that strips DNSSEC is not a proof', async () => {
  for (const rcode of [Rcode.NXDOMAIN, Rcode.NOERROR, Rcode.YXDOMAIN]) {
    const denying: Behaviour = (query) =>
      query.questions[0]?.type === RRType.A ? { rcode } : stripping(query);
    const { resolver } = scene([denying]);
    const answer = await resolver.ask(host, RRType.A);
    assert.deepEqual(
      [answer.status, answer.dnssec, answer.failure?.code],
      ['failed', 'indeterminate', 'dnssec-stripped'],
    );
    const unproved = await resolver.ask(host, RRType.A, { acceptUnvalidated: true });
    assert.deepEqual(
      [unproved.status, unproved.dnssec],
      [rcode === Rcode.NOERROR ? 'nodata' : 'nxdomain', 'indeterminate'],
    );
  }
});

test('unproved data never comes from a resolver that passes signatures', async () => {
  for (const behaviours of [[forging], [stripping, forging], [forging, stripping]]) {
    const answer = await scene(behaviours).resolver.ask(host, RRType.A, {
      acceptUnvalidated: true,
    });
    assert.deepEqual([answer.status, answer.dnssec, answer.records.length], ['failed', 'bogus', 0]);
  }
  assert.equal(
    (await scene([stripping, honest]).resolver.ask(host, RRType.A, { acceptUnvalidated: true }))
      .dnssec,
    'secure',
  );
});

test('a silent or refusing resolver is skipped and then asked last', async () => {
  for (const [bad, state] of [
    [silent, 'silent'],
    [() => ({ rcode: Rcode.REFUSED }), 'refuses'],
  ] as const) {
    const { resolver, asked, states, clock } = scene([bad, honest]);
    assert.equal((await resolver.ask(host, RRType.A)).dnssec, 'secure');
    assert.deepEqual(states(), [state, 'answers']);
    await questionsAhead();
    const before = asked.length;
    clock.at += 301_000;
    await resolver.ask(host, RRType.A);
    assert.deepEqual(asked.slice(before), [`2 ${RRType.A}`]);
  }
});

test('no resolver or no answer: failed, with the reason', async () => {
  assert.equal((await scene([]).resolver.ask(host, RRType.A)).failure?.code, 'dns-no-upstream');
  const { resolver } = scene([silent]);
  const answer = await resolver.ask(host, RRType.A);
  assert.deepEqual(
    [answer.status, answer.dnssec, answer.failure?.code],
    ['failed', 'indeterminate', 'dns-timeout'],
  );
});

test('RFC 5452 §9.1: another id or another question is not an answer', async () => {
  const wrong: readonly Behaviour[] = [
    (q) => ({ ...honest(q), id: q.id ^ 1 }),
    (q) => ({
      ...honest(q),
      questions: [{ name: Name.of('other.test'), type: RRType.A, class: 1 }],
    }),
    (q) => ({ ...honest(q), response: false }),
    (q) => ({ ...honest(q), questions: [] }),
  ];
  for (const behaviour of wrong)
    assert.equal(
      (await scene([behaviour]).resolver.ask(host, RRType.A)).failure?.code,
      'dns-timeout',
    );
});

test('concurrent equal queries go out once; one abort does not affect the other', async () => {
  const { resolver, asked } = scene([honest]);
  const controller = new AbortController();
  const first = resolver.ask(host, RRType.A, { signal: controller.signal });
  const second = resolver.ask(host, RRType.A);
  controller.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  assert.equal((await second).dnssec, 'secure');
  assert.equal(asked.filter((a) => a === `1 ${RRType.A}`).length, 1);
});

test('an abort by all callers rejects with the reason and is not cached', async () => {
  const { resolver } = scene([honest]);
  const controller = new AbortController();
  const asking = resolver.ask(host, RRType.A, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(asking, /enough/);
  await assert.rejects(resolver.ask(host, RRType.A, { signal: controller.signal }), /enough/);
  assert.equal((await resolver.ask(host, RRType.A)).dnssec, 'secure');
});

test('RFC 6840 §5.7: the AD bit of a trusted resolver separates secure from insecure', async () => {
  const validating =
    (behaviour: Behaviour): Behaviour =>
    (q) =>
      q.questions[0]?.name.isRoot ? { authenticData: true } : behaviour(q);
  const ad = (authenticData: boolean): Behaviour => {
    return validating(() => ({ authenticData, answers: [address(1)] }));
  };
  const ask = async (behaviour: Behaviour) =>
    (await scene([behaviour], { trustAd: true }).resolver.ask(host, RRType.A)).dnssec;
  assert.equal(await ask(ad(true)), 'secure');
  assert.equal(await ask(ad(false)), 'insecure');
  assert.equal(
    await ask(
      validating((q) =>
        q.checkingDisabled ? { answers: [address(1)] } : { rcode: Rcode.SERVFAIL },
      ),
    ),
    'bogus',
  );
  assert.equal(await ask(validating(() => ({ rcode: Rcode.SERVFAIL }))), 'indeterminate');
});

test('RFC 8914: extended errors are shown, neutralised, and decide nothing', async () => {
  const option = (code: number, text: string) => ({
    code: 15,
    data: concat(Uint8Array.of(0, code), Buffer.from(text)),
  });
  const behaviour: Behaviour = () => ({
    rcode: Rcode.SERVFAIL,
    edns: {
      version: 0,
      udpSize: 1232,
      dnssecOk: true,
      options: [option(7, 'expired \x1b[31mlong ago'), option(99, '')],
    },
  });
  const answer = await scene([behaviour]).resolver.ask(host, RRType.A);
  assert.deepEqual(
    [answer.status, answer.dnssec, answer.failure?.code],
    ['failed', 'indeterminate', 'dns-servfail'],
  );
  assert.equal(
    answer.failure?.detail,
    'mx.test: SERVFAIL (signature expired "expired \\x1b[31mlong ago", extended error 99)',
  );
});

test('a trusted resolver that does not validate is reported at the first query', async () => {
  const { resolver, asked, states } = scene([() => ({ answers: [address(1)] })], { trustAd: true });
  const answer = await resolver.ask(host, RRType.A);
  assert.deepEqual(
    [answer.status, answer.dnssec, answer.failure?.code],
    ['failed', 'indeterminate', 'dnssec-not-validating'],
  );
  assert.deepEqual([asked, states()], [[`1 ${RRType.NS}`], ['does-not-validate']]);
  const unproved = await resolver.ask(host, RRType.A, { acceptUnvalidated: true });
  assert.deepEqual(
    [unproved.status, unproved.dnssec, lastOctet(unproved.records)],
    ['found', 'indeterminate', 1],
  );
});

test('a trusted resolver is tested once an hour, not at every question', async () => {
  const { resolver, asked, clock } = scene(
    [() => ({ authenticData: true, answers: [address(1, 1)] })],
    { trustAd: true },
  );
  for (let i = 0; i < 3; i++) {
    assert.equal((await resolver.ask(host, RRType.A)).dnssec, 'secure');
    clock.at += 5_000;
  }
  assert.deepEqual(asked, [`1 ${RRType.NS}`, ...Array.from({ length: 3 }, () => `1 ${RRType.A}`)]);
  clock.at += 3_600_000;
  await resolver.ask(host, RRType.A);
  assert.equal(asked.filter((a) => a === `1 ${RRType.NS}`).length, 2);
});

// [7672-2.1.1-4]
test('RFC 7672 §2.1.1: the AD bit of an untrusted resolver proves nothing', async () => {
  const boasting: Behaviour = (query) => ({ ...forging(query), authenticData: true });
  assert.equal((await scene([boasting]).resolver.ask(host, RRType.A)).dnssec, 'bogus');
});

/**
 * Runs `use` with a network whose upstream truncates all datagrams and answers over TCP
 * with `answerOf`.
 */
async function overTcp(
  answerOf: (query: Message) => Uint8Array,
  use: (network: Network) => Promise<void>,
): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (framed) => {
      const query = decodeMessage(framed.subarray(2));
      assert.ok(query.ok);
      // Sent in two chunks, and the split is inside the length field: a stream has no
      // message boundaries.
      const bytes = answerOf(query.value);
      socket.write(bytes.subarray(0, 1));
      setImmediate(() => socket.end(bytes.subarray(1)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const door = nodeNetwork();
  try {
    await use({
      dial: (request) => door.dial({ ...request, address: '127.0.0.1', port }),
      exchange: ({ query }) => {
        const decoded = decodeMessage(query);
        assert.ok(decoded.ok);
        return Promise.resolve({ ok: true, bytes: reply(decoded.value, { truncated: true }) });
      },
    });
  } finally {
    server.close();
  }
}

function framed(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes]);
}

// [7766-5-1]
test('RFC 7766 §5: a truncated answer is asked for again over TCP', async () => {
  await overTcp(
    (query) => framed(reply(query, honest(query) ?? {})),
    async (network) => {
      const answer = await scene([honest], { network }).resolver.ask(host, RRType.A);
      assert.equal(answer.dnssec, 'secure');
    },
  );
});

test('garbage or an early end over TCP is a failure, never the truncated answer', async () => {
  for (const bytes of [
    Uint8Array.of(0, 4, 1, 2, 3, 4),
    Uint8Array.of(0, 40, 1, 2),
    Uint8Array.of(0, 0),
  ]) {
    await overTcp(
      () => bytes,
      async (network) => {
        const answer = await scene([honest], { network }).resolver.ask(host, RRType.A);
        assert.deepEqual([answer.status, answer.dnssec], ['failed', 'indeterminate']);
      },
    );
  }
});

test('an answer truncated over TCP denies nothing, signed or not', async () => {
  await overTcp(
    (query) => framed(reply(query, { truncated: true })),
    async (network) => {
      const unsigned = {
        network,
        anchors: [{ zone: Name.root, ds: [], keys: [], negative: true }],
      } as const;
      const answer = await scene([honest], unsigned).resolver.ask(host, RRType.A);
      assert.deepEqual([answer.status, answer.failure?.code], ['failed', 'dns-garbled']);
    },
  );
});

/**
 * Returns a root zone that delegates `test`, or `many` zones below it, without a DS. The
 * delegated zones have TXT records of the given size.
 */
function unsignedTexts(octets: number, zones: 'one' | 'many' = 'one'): Behaviour {
  return ({ questions: [asked] }) => {
    if (asked?.name.isRoot) return honest({ questions: [asked] } as unknown as Message);
    if (asked?.type === RRType.DS && zones === 'one')
      return { authorities: signed(nsec(Name.of('test'), Name.root, 'NS')) };
    if (asked?.type === RRType.DS && asked.name.labels.length === 1)
      return { authorities: signed(nsec(Name.root, Name.of('a.test'), 'NS SOA DNSKEY')) };
    if (asked?.type === RRType.DS)
      return { authorities: signed(nsec(asked.name, Name.root, 'NS')) };
    if (asked?.type !== RRType.TXT) return { rcode: Rcode.SERVFAIL };
    const text = concat(
      ...Array.from({ length: Math.ceil(octets / 250) }, () =>
        concat(Uint8Array.of(250), new Uint8Array(250).fill(0x61)),
      ),
    );
    return { answers: [makeRecord(asked.name, RRType.TXT, 300, text)] };
  };
}

test('the proof of an unsigned parent serves all names below it for its TTL', async () => {
  const { resolver, asked, clock } = scene([unsignedTexts(250)]);
  const ds = (): number => asked.filter((question) => question === `1 ${RRType.DS}`).length;
  for (let n = 0; n < 5; n++) {
    const answer = await resolver.ask(Name.of(`s${n}._domainkey.sender.test`), RRType.TXT);
    assert.equal(answer.dnssec, 'insecure');
  }
  assert.equal(ds(), 1);
  clock.at += 301_000;
  await resolver.ask(Name.of('s9._domainkey.sender.test'), RRType.TXT);
  assert.equal(ds(), 2);
});

test('only answers of usual sizes are cached', async () => {
  for (const [octets, times] of [
    [250, 1],
    [4000, 1],
    [20_000, 3],
  ] as const) {
    const { resolver, asked } = scene([unsignedTexts(octets)]);
    for (let n = 0; n < 3; n++)
      assert.equal((await resolver.ask(host, RRType.TXT)).records.length, 1);
    assert.equal(asked.filter((question) => question === `1 ${RRType.TXT}`).length, times);
  }
});

test('the cache is bounded by octets: large answers displace each other', async () => {
  const { resolver, asked } = scene([unsignedTexts(4000)]);
  const name = (n: number): Name => Name.of(`s${n}.test`);
  for (let n = 0; n < 5000; n++) await resolver.ask(name(n), RRType.TXT);
  const before = asked.length;
  await resolver.ask(name(4999), RRType.TXT);
  assert.equal(asked.length, before);
  await resolver.ask(name(0), RRType.TXT);
  assert.ok(asked.length > before);
});

test('questions that accept unvalidated data share the validated answer', async () => {
  const { resolver, asked } = scene([honest]);
  const signed = await resolver.ask(host, RRType.A, { acceptUnvalidated: true });
  await questionsAhead();
  const before = asked.length;
  assert.equal((await resolver.ask(host, RRType.A)).dnssec, 'secure');
  assert.deepEqual([signed.dnssec, asked.length], ['secure', before]);
});

test('evicted zones are proved again; the keys above them stay cached', async () => {
  const { resolver, asked } = scene([unsignedTexts(50, 'many')], { cacheSize: 20 });
  const times = (type: number): number => asked.filter((one) => one === `1 ${type}`).length;
  for (let n = 0; n < 200; n++) {
    const answer = await resolver.ask(Name.of(`x.z${n}.test`), RRType.TXT);
    assert.equal(answer.dnssec, 'insecure');
  }
  assert.equal(times(RRType.DNSKEY), 2, 'of the root, and ahead of the top-level zone');
  const proofs = times(RRType.DS);
  await resolver.ask(Name.of('y.z199.test'), RRType.TXT);
  assert.equal(times(RRType.DS), proofs);
  await resolver.ask(Name.of('y.z0.test'), RRType.TXT);
  assert.equal(times(RRType.DS), proofs + 1);
});
