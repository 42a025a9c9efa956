import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { buildClientHello } from '../wire/index.js';
import type { TlsAnswer, ProbeRecord } from './answer.js';
import {
  enlarged,
  isDoubted,
  isLost,
  LARGE_HELLO,
  largeHelloOf,
  largeHellosOf,
} from './large-hello.js';
import { groups12, groups13, helloFor, suites12, suites13, type TlsQuestion } from './question.js';

const question: Extract<TlsQuestion, { kind: 'hello' }> = {
  kind: 'hello',
  topic: 'tls12',
  version: 'TLSv1.2',
  suites: suites12.slice(0, 20),
  groups: groups12,
  schemes: [0x0804],
};
const large = { ...question, octets: LARGE_HELLO };
const handshakeFailure: TlsAnswer = { kind: 'refused', alert: 40 };
const answered: TlsAnswer = { kind: 'hello', flight: {} };
const silence: TlsAnswer = { kind: 'none', reason: 'tls-timeout' };
const closed: TlsAnswer = { kind: 'refused' };
const record = (asked: TlsQuestion, answer: TlsAnswer): ProbeRecord => ({
  question: asked,
  answer,
});

test('the padded record has the requested size with any content', () => {
  for (const asked of [
    large,
    { ...large, suites: suites12 },
    { ...large, version: 'TLSv1.3' as const, topic: 'tls13' as const, suites: suites13 },
    { ...large, suites: [0xc02f] },
  ]) {
    const hello = buildClientHello(helloFor(asked, randomBytes(64), 'mx.one.example'));
    assert.equal(hello.length, LARGE_HELLO);
    assert.ok(buildClientHello(helloFor(question, randomBytes(64), 'mx.one.example')).length < 752);
  }
});

const inSegments = { ...large, segments: 2 as const };
const hybrid = {
  ...question,
  topic: 'groups:pq' as const,
  version: 'TLSv1.3' as const,
  suites: suites13,
  groups: groups13,
};
const withShare = { ...hybrid, octets: LARGE_HELLO, keyShare: true as const };

test('hellos of a run are large by size, by segments, then by a key share', () => {
  const log = [record(large, answered), record(inSegments, handshakeFailure)];
  assert.deepEqual(enlarged(question, []), large);
  assert.deepEqual(enlarged(question, log.slice(0, 1)), inSegments);
  assert.deepEqual(enlarged(hybrid, log), withShare);
  assert.deepEqual(enlarged(hybrid, [...log, record(withShare, answered)]), hybrid);
  assert.deepEqual(enlarged({ kind: 'ssl2' }, []), { kind: 'ssl2' });
  const sslv3 = { ...question, version: 'SSLv3' as const };
  assert.deepEqual(enlarged(sslv3, []), sslv3, 'SSLv3 has no padding extension');
});

test('no share is sent to TLS 1.2, without the hybrid group, or after a loss', () => {
  const log = [record(large, answered), record(inSegments, handshakeFailure)];
  assert.deepEqual(enlarged(question, log), question);
  const classical = { ...hybrid, groups: [29, 23] };
  assert.deepEqual(enlarged(classical, log), classical);
  const lossy = [record(large, silence), record(question, handshakeFailure)];
  assert.deepEqual(enlarged(hybrid, lossy), { ...hybrid, octets: LARGE_HELLO, segments: 2 });
  const both = [...lossy, record(inSegments, silence), record(question, handshakeFailure)];
  assert.deepEqual(enlarged(hybrid, both), hybrid);
});

test('a lost hello is asked again in its small form', () => {
  assert.deepEqual(enlarged(question, [record(large, silence)]), question);
  const log = [record(large, handshakeFailure), record(inSegments, closed)];
  assert.deepEqual(enlarged(hybrid, log), hybrid);
});

// RFC 9846 §4.2.2.
test('an alert to a large hello is unconfirmed until a hello of its form is answered', () => {
  const refused = record(large, handshakeFailure);
  assert.ok(isDoubted(refused, [refused]));
  assert.ok(!isDoubted(refused, [refused, record(inSegments, answered)]));
  assert.ok(!isDoubted(refused, [refused, record(question, handshakeFailure)]));
  assert.ok(isDoubted(refused, [refused, record(question, answered)]), 'it refuses the size');
  const version = record(large, { kind: 'refused', alert: 70 });
  assert.ok(!isDoubted(version, [version]), 'protocol_version refuses the version');
  const shared = record(withShare, handshakeFailure);
  assert.ok(isDoubted(shared, [record(large, answered), shared]), 'it may refuse the share');
});

test('a hello of the completed version settles an unconfirmed refusal', () => {
  const suite = 'TLS_AES_128_GCM_SHA256';
  const completed = record(
    { kind: 'handshake', authentication: 'any' },
    { kind: 'handshake', chain: [], version: 'TLSv1.3', suite },
  );
  const log = [completed, record(large, handshakeFailure)];
  assert.deepEqual(enlarged(question, log.slice(1)), question, 'no version is known');
  const settling = enlarged(question, log);
  assert.ok(settling.kind === 'hello');
  assert.deepEqual(
    [settling.version, settling.octets, settling.keyShare],
    ['TLSv1.3', LARGE_HELLO, true],
  );
  const again = [...log, record(settling, handshakeFailure)];
  const small = enlarged(question, again);
  assert.ok(small.kind === 'hello');
  assert.deepEqual([small.version, small.octets], ['TLSv1.3', undefined]);
  const settled = [...again, record(small, answered)];
  assert.deepEqual(enlarged(question, settled), question, 'no further large hello');
  assert.deepEqual(
    largeHellosOf(settled).map(({ result, alert }) => [result, alert]),
    [
      ['unknown', 40],
      ['lost', 40],
    ],
  );
});

test('a server that refuses by closing gets no further large hello', () => {
  assert.deepEqual(enlarged(question, [record(large, closed), record(question, closed)]), question);
});

test('each form has its own result', () => {
  const log = [
    record(large, handshakeFailure),
    record(inSegments, silence),
    record(question, handshakeFailure),
    record(withShare, closed),
  ];
  assert.deepEqual(
    largeHellosOf(log).map(({ form, result }) => [form.segments, form.keyShare, result]),
    [
      [undefined, undefined, 'answered'],
      [2, undefined, 'lost'],
      [undefined, true, 'unknown'],
    ],
  );
  assert.equal(largeHelloOf(log), 'lost');
});

test('silence and a close without alert lose a hello, an alert answers it', () => {
  assert.deepEqual(
    [silence, closed, handshakeFailure].map((answer) => isLost(record(large, answer))),
    [true, true, false],
  );
  assert.ok(!isLost(record(question, closed)), 'a small hello that is refused is refused');
});

test('a lost hello counts if the smaller one is answered', () => {
  for (const lost of [silence, closed]) {
    assert.equal(largeHelloOf([record(large, lost), record(question, handshakeFailure)]), 'lost');
    assert.equal(largeHelloOf([record(large, lost), record(question, closed)]), 'unknown');
    assert.equal(largeHelloOf([record(large, lost)]), 'unknown');
  }
  assert.equal(largeHelloOf([record(large, answered)]), 'answered');
  assert.equal(largeHelloOf([record(large, handshakeFailure)]), 'unknown');
  assert.equal(largeHelloOf([record(question, handshakeFailure)]), 'unknown');
});
