import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../base/index.js';
import {
  formatRecord,
  parseTrustAnchors,
  typeNumber,
  validate,
  verifyProof,
  type DnsAnswer,
  type Proof,
  type TrustAnchor,
} from '../../dns/index.js';
import { LabDns } from './lab-dns.js';
import type { ZoneSpec } from './zone.js';

const now = Date.UTC(2026, 10, 23);
const names = `www A 192.0.2.1
_25._tcp.mx TLSA 3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
*.wild TXT "w"
alias CNAME www
home CNAME www.a13-nsec.example.
out CNAME www.unsigned.example.
round CNAME home.unsigned.example.
broken CNAME alias.expired.example.
deep.er.ent A 192.0.2.2
old DNAME www`;
const zones: ZoneSpec[] = [
  { apex: '.', signed: { algorithm: 8 } },
  { apex: 'example', signed: { algorithm: 13, denial: 'nsec3-optout' } },
  ...([8, 10, 13, 14, 15, 16] as const).flatMap((algorithm) =>
    (['nsec', 'nsec3', 'nsec3-optout'] as const).map((denial) => ({
      apex: `a${algorithm}-${denial}.example`,
      records: names,
      signed: { algorithm, denial },
    })),
  ),
  { apex: 'unsigned.example', records: names },
  { apex: 'plain.a13-nsec.example', records: names },
  ...(['expired', 'not-yet-valid', 'wrong-key', 'stripped'] as const).map((fault) => ({
    apex: `${fault}.example`,
    records: names,
    signed: {},
    fault,
  })),
];

async function ask(
  question: string,
  dns: LabDns,
  more: readonly TrustAnchor[] = [],
): Promise<DnsAnswer & { asked: number }> {
  const [name = '', type = ''] = question.split(' ');
  let asked = 0;
  const answer = await validate({
    name: Name.of(name),
    type: typeNumber(type) as number,
    anchors: [...dns.anchors, ...more],
    now,
    fetch: (n, t) => {
      asked++;
      const message = dns.answer(n, t);
      return Promise.resolve(
        message
          ? { ok: true, message: message }
          : {
              ok: false,
              failure: { code: 'dns-timeout', blame: 'network', temporary: true, detail: '' },
            },
      );
    },
  });
  return { ...answer, asked };
}

const shared = new LabDns(zones, now);

for (const { apex, signed } of zones.slice(2, 20)) {
  test(`${apex}: every kind of answer and denial is secure, and its proof is complete`, async () => {
    for (const [question, expected] of [
      [`www.${apex} A`, 'found'],
      [`_25._tcp.mx.${apex} TLSA`, 'found'],
      [`alias.${apex} A`, 'found'],
      [`any.wild.${apex} TXT`, 'found'],
      [`a.b.wild.${apex} TXT`, 'found'],
      [`any.wild.${apex} A`, 'nodata'],
      [`www.${apex} AAAA`, 'nodata'],
      [`er.ent.${apex} A`, 'nodata'],
      [`nothing.${apex} A`, 'nxdomain'],
      [`_25._tcp.www.${apex} TLSA`, 'nxdomain'],
      [`x.ent.${apex} A`, 'nxdomain'],
    ] as const) {
      const answer = await ask(question, shared);
      const optOut =
        signed?.denial === 'nsec3-optout' &&
        (expected !== 'found' || /wild/.test(question)) &&
        !/^(www|er\.ent)\S* A/.test(question);
      assert.deepEqual(
        [question, answer.status, answer.dnssec, answer.failure?.code],
        [question, expected, optOut ? 'insecure' : 'secure', undefined],
      );
      const again = await verifyProof(answer.proof as Proof, shared.anchors);
      assert.deepEqual(
        [again.status, again.dnssec],
        [answer.status, answer.dnssec],
        `proof of ${question}`,
      );
    }
  });
}

test('an unsigned delegation is proved insecure, also in an opt-out span', async () => {
  for (const question of [
    'www.unsigned.example A',
    'www.plain.a13-nsec.example A',
    'nothing.unsigned.example A',
    'out.a13-nsec.example A',
  ]) {
    assert.equal((await ask(question, shared)).dnssec, 'insecure', question);
  }
});

// [7672-2.1.3-1, 7672-2.1.3-2]
test('RFC 7672 §2.1.3: an insecure alias makes the rest insecure, a bogus one all', async () => {
  const through = await ask('round.a13-nsec.example A', shared);
  assert.deepEqual(
    [through.status, through.dnssec, through.canonicalName.toString()],
    ['found', 'insecure', 'www.a13-nsec.example'],
  );
  assert.deepEqual(
    through.aliases.map((a) => a.dnssec),
    ['secure', 'insecure'],
  );
  const broken = await ask('broken.a13-nsec.example A', shared);
  assert.deepEqual([broken.status, broken.dnssec, broken.records.length], ['failed', 'bogus', 0]);
});

test('bad signatures are bogus, never insecure', async () => {
  const code = async (apex: string): Promise<string | undefined> =>
    (await ask(`www.${apex}.example A`, shared)).failure?.code;
  assert.equal(await code('expired'), 'dnssec-signature-expired');
  assert.equal(await code('not-yet-valid'), 'dnssec-signature-not-yet-valid');
  assert.equal(await code('wrong-key'), 'dnssec-key-missing');
  assert.equal(await code('stripped'), 'dnssec-cut-unproved');
});

test('RFC 7646: below a negative anchor nothing is bogus or secure', async () => {
  const negative = (zone: string): TrustAnchor => ({
    zone: Name.of(zone),
    ds: [],
    keys: [],
    negative: true,
  });
  for (const question of [
    'www.expired.example A',
    'www.expired.example AAAA',
    '_25._tcp.mx.expired.example TLSA',
  ]) {
    assert.equal((await ask(question, shared)).dnssec, 'bogus');
    for (const zone of ['expired.example', 'example'])
      assert.equal((await ask(question, shared, [negative(zone)])).dnssec, 'insecure');
  }
  assert.equal(
    (await ask('www.a13-nsec.example A', shared, [negative('expired.example')])).dnssec,
    'secure',
  );
  const ds = await ask('a13-nsec.example DS', shared);
  const own = parseTrustAnchors(ds.records.map(formatRecord).join('\n'));
  assert.ok(own.ok);
  assert.equal(
    (await ask('www.a13-nsec.example A', shared, [negative('example')])).dnssec,
    'insecure',
  );
  assert.equal(
    (await ask('www.a13-nsec.example A', shared, [negative('example'), ...own.value])).dnssec,
    'secure',
  );
});

test('an unreadable anchor is refused, not ignored', () => {
  for (const line of [
    'example. IN DS 1 13',
    'example. IN DNSKEY 257 3',
    'example. IN A 192.0.2.1',
    '',
  ])
    assert.equal(
      parseTrustAnchors(`. IN DS 20326 8 2 ${'ab'.repeat(32)}\n${line}`).ok,
      line === '',
      line,
    );
});

test('a cold TLSA chain costs at most six questions upstream', async () => {
  assert.ok((await ask('_25._tcp.mx.a13-nsec.example TLSA', shared)).asked <= 6);
});

const few = zones
  .filter(({ apex }) => ['.', 'example', 'a13-nsec.example'].includes(apex))
  .map((spec) => ({ ...spec, signed: { ...spec.signed, algorithm: 13 as const } }));

test('a forged answer to any question of the chain never proves insecurity or absence', async () => {
  const chain = [
    '. DNSKEY',
    'example DS',
    'example DNSKEY',
    'a13-nsec.example DS',
    'a13-nsec.example DNSKEY',
    '_25._tcp.mx.a13-nsec.example TLSA',
  ];
  for (const question of chain) {
    for (const fault of [
      'servfail',
      'refused',
      'nxdomain',
      'nodata',
      'drop',
      { forge: ['_25._tcp.mx.a13-nsec.example. TLSA 3 1 1 00'] },
    ] as const) {
      const dns = new LabDns(few, now);
      dns.fault(question, fault);
      const answer = await ask('_25._tcp.mx.a13-nsec.example TLSA', dns);
      assert.equal(
        answer.status,
        'failed',
        `${question} ${JSON.stringify(fault)}: ${answer.status} ${answer.dnssec}`,
      );
      assert.ok(answer.dnssec === 'bogus' || answer.dnssec === 'indeterminate');
    }
  }
});

test('removing any record invalidates a proof', async () => {
  for (const question of [
    '_25._tcp.mx.a13-nsec.example TLSA',
    'nothing.a13-nsec.example A',
    'nothing.a15-nsec3.example A',
    'any.wild.a13-nsec3.example TXT',
  ]) {
    const { proof, status } = await ask(question, shared);
    const whole = proof as Proof;
    for (const [g, ground] of whole.grounds.entries()) {
      for (const section of ['answers', 'authorities'] as const) {
        for (const i of ground[section].keys()) {
          const grounds = whole.grounds.map((x, j) =>
            j === g ? { ...x, [section]: x[section].filter((_, k) => k !== i) } : x,
          );
          const again = await verifyProof({ ...whole, grounds }, shared.anchors);
          assert.ok(
            again.dnssec !== 'secure' || again.status !== status,
            `${question}: valid without ${ground[section][i]?.slice(0, 80)}`,
          );
        }
      }
    }
  }
});
