import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { decodeMessage, encodeMessage } from './codec.js';
import { responseTo, type Message } from './message.js';
import { formatRecord, parseRecord, parseZone } from './presentation.js';
import { readMx, readNsec, readTlsa, readTxt, txtText } from './rdata.js';
import { canonicalRdata } from './rdata-layout.js';
import { RRType } from './types-registry.js';

const lines = [
  'example.com. 3600 IN MX 10 mail.example.com.',
  'example.com. 300 IN TXT "v=STSv1; id=1;" "second \\"quoted\\" \\255"',
  '_25._tcp.mx.example. 60 IN TLSA 3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3',
  'example. 60 IN SOA ns.example. host\\.master.example. 1 2 3 4 5',
  'a.example. 60 IN A 192.0.2.1',
  'a.example. 60 IN AAAA 2001:db8::1',
  'x.example. 60 IN NSEC y.example. A MX RRSIG NSEC TYPE65280',
  '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 60 IN NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG',
  'example. 60 IN NSEC3PARAM 1 0 0 -',
  'example. 60 IN DS 60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118',
  'example. 60 IN RRSIG A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTrPYGv07h108dUKGMeDPKijVCHX3DDKdfb+v6oB9wfuh3DTJXUAfI=',
  'srv.example. 60 IN SRV 1 2 25 mx.example.',
  'caa.example. 60 IN CAA 0 "issue" "letsencrypt.org"',
  't.example. 60 IN TYPE65280 \\# 3 abcdef',
  '\\000\\255odd.example. 60 IN CNAME other\\.dot.example.',
];

function message(answers: readonly ResourceRecord[], changes: Partial<Message> = {}): Message {
  return responseTo(Name.of('example.com'), RRType.MX, { id: 4711, answers, ...changes });
}

function record(text: string): ResourceRecord {
  const parsed = parseRecord(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
}

test('presentation form survives parsing and formatting, bitmaps in numeric order', () => {
  for (const line of lines) {
    const again = formatRecord(record(formatRecord(record(line))));
    assert.equal(again, formatRecord(record(line)));
    if (!/NSEC3 1/.test(line)) assert.equal(again, line);
  }
});

test('a message survives encoding and decoding octet for octet', () => {
  const sent = message(lines.map(record), {
    edns: {
      version: 0,
      udpSize: 1232,
      dnssecOk: true,
      options: [{ code: 15, data: Uint8Array.of(0, 6) }],
    },
    rcode: 23,
  });
  const bytes = encodeMessage(sent);
  const read = decodeMessage(bytes);
  assert.ok(read.ok);
  assert.deepEqual(read.value.answers.map(formatRecord), sent.answers.map(formatRecord));
  assert.equal(read.value.rcode, 23);
  assert.equal(read.value.edns?.udpSize, 1232);
  assert.deepEqual(encodeMessage(read.value), bytes);
});

test('zone text: origin, TTL, repeated owners, parentheses and comments', () => {
  const zone = parseZone(
    '$ORIGIN example.\n$TTL 1h\n@ SOA ns host 1 2 3 4 ( 5 ; minimum\n )\n  MX 10 mx ; same owner\nmx 60 A 192.0.2.1\n',
  );
  assert.ok(zone.ok);
  assert.deepEqual(zone.value.map(formatRecord), [
    'example. 3600 IN SOA ns.example. host.example. 1 2 3 4 5',
    'example. 3600 IN MX 10 mx.example.',
    'mx.example. 60 IN A 192.0.2.1',
  ]);
  for (const bad of [
    'example. A 192.0.2.300',
    'x MX mail',
    'x TXT "open',
    'x A 192.0.2.1 more',
    '( x',
    '$INCLUDE f',
  ])
    assert.equal(parseZone(bad).ok, false, bad);
});

test('typed readers refuse RDATA that does not fit its type', () => {
  assert.deepEqual(readMx(record(lines[0] as string)).ok && true, true);
  assert.equal(readTlsa({ ...record(lines[2] as string), rdata: Uint8Array.of(3, 1) }).ok, false);
  assert.equal(readTxt({ ...record(lines[1] as string), rdata: Uint8Array.of(5, 65) }).ok, false);
  assert.equal(
    readNsec({ ...record(lines[6] as string), rdata: Uint8Array.of(0, 0, 0) }).ok,
    false,
  );
  assert.equal(readMx(record(lines[1] as string)).ok, false);
});

test('RFC 4034 §6.2: names in RDATA are lower-cased, except in NSEC (RFC 6840 §5.1)', () => {
  const mx = record('a. MX 10 MAIL.Example.');
  assert.equal(
    formatRecord({ ...mx, rdata: canonicalRdata(mx.rdata, mx.type) }),
    'a. 3600 IN MX 10 mail.example.',
  );
  const nsec = record('a. NSEC B.Example. A');
  assert.deepEqual(canonicalRdata(nsec.rdata, nsec.type), nsec.rdata);
});

test('RFC 1035 §4.1.4: pointers that loop, lead forward or outside are refused', () => {
  const head = [0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  for (const name of [
    [0xc0, 12],
    [0xc0, 14],
    [0xc0, 0xff],
    [1, 65, 0xc0, 12],
    [0x40, 1],
    [64],
    [3, 65],
  ]) {
    assert.equal(
      decodeMessage(Uint8Array.from([...head, ...name, 0, 1, 0, 1])).ok,
      false,
      String(name),
    );
  }
});

test('TXT is read as UTF-8, and other octets are shown as unreadable', () => {
  const text = (data: string): string | undefined =>
    txtText(record(`a.example. 300 IN TXT ${data}`));
  assert.equal(text('"v=STSv1; " "id=1;"'), 'v=STSv1; id=1;');
  assert.equal(text('"caf\\195\\169"'), 'café');
  assert.equal(text('"caf\\195" "\\169"'), 'café'); // one character in two strings
  assert.equal(text('"caf\\233;"'), 'caf\ufffd;');
  assert.equal(text('"\\239\\187\\191v=STSv1;"'), '\ufeffv=STSv1;');
});

test('one malformed record does not invalidate the message', () => {
  const bytes = encodeMessage(
    message([
      { ...record(lines[0] as string), rdata: Uint8Array.of(0) },
      record(lines[4] as string),
    ]),
  );
  const read = decodeMessage(bytes);
  assert.ok(read.ok);
  assert.equal(read.value.answers.length, 2);
});

test('property: no octets make the decoder throw', () => {
  const whole = encodeMessage(message(lines.map(record)));
  const mutated = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    .map((changes) => {
      const copy = Uint8Array.from(whole);
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated), (bytes) => {
      const read = decodeMessage(bytes);
      if (read.ok) for (const rr of read.value.answers) formatRecord(rr);
    }),
    { numRuns: 1000 },
  );
});
