import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { buildClientHello } from '../wire/index.js';
import type { TlsAnswer, ProbeRecord } from './answer.js';
import { enlarged, isLost, LARGE_HELLO, largeHelloOf } from './large-hello.js';
import { groups12, helloFor, suites12, suites13, type TlsQuestion } from './question.js';

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

test('only the first hello of a run is large', () => {
  assert.deepEqual(enlarged(question, []), large);
  assert.deepEqual(enlarged(question, [record(large, silence)]), question);
  assert.deepEqual(enlarged({ kind: 'ssl2' }, []), { kind: 'ssl2' });
});

test('silence and a close without alert lose a hello, an alert answers it', () => {
  assert.deepEqual(
    [silence, closed, handshakeFailure].map((answer) => isLost(record(large, answer))),
    [true, true, false],
  );
  assert.ok(!isLost(record(question, closed)), 'a small hello that is refused is refused');
});

test('a lost hello counts where the smaller one is answered', () => {
  for (const lost of [silence, closed]) {
    assert.equal(largeHelloOf([record(large, lost), record(question, handshakeFailure)]), 'lost');
    assert.equal(largeHelloOf([record(large, lost), record(question, closed)]), 'unknown');
    assert.equal(largeHelloOf([record(large, lost)]), 'unknown');
  }
  assert.equal(largeHelloOf([record(large, handshakeFailure)]), 'answered');
  assert.equal(largeHelloOf([record(question, handshakeFailure)]), 'unknown');
});
