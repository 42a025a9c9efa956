import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fromBase64, fromHex, toBase64, toHex } from './bytes.js';
import { formatIp, parseIp } from './ip.js';
import { neutralise } from './neutralise.js';
import { wrap } from './wrap.js';

test('RFC 5952: one text for each IPv6 address', () => {
  for (const [text, canonical] of [
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::', '::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['192.0.2.1', '192.0.2.1'],
  ] as const) {
    const ip = parseIp(text);
    assert.equal(ip && formatIp(ip), canonical);
  }
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    'fe80::1%eth0',
    '[::1]',
    '1.2.3.4/8',
    'localhost',
    '::1::',
  ])
    assert.equal(parseIp(text), undefined, text);
});

test('any IPv6 address survives its canonical text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const again = parseIp(formatIp({ family: 6, bytes }));
      return again !== undefined && Buffer.compare(again.bytes, bytes) === 0;
    }),
  );
});

test('terminal controls and bidi characters are removed', () => {
  // eslint-disable-next-line no-control-regex
  const harmful = /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !harmful.test(neutralise(text))));
  assert.match(neutralise('a\x1b[31mb\u202ec'), /^a.*b.*c$/);
  assert.equal(
    neutralise('a\u3164\u{e0100}\u{1bca0}\u034fb'),
    'a\\u{3164}\\u{e0100}\\u{1bca0}\\u{34f}b',
    'what shows nothing is shown',
  );
  assert.ok(neutralise('x'.repeat(5000), 100).length <= 110);
});

test('octets survive conversion to text', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const [hex, base64] = [fromHex(toHex(bytes)), fromBase64(toBase64(bytes))];
      return (
        hex !== undefined &&
        base64 !== undefined &&
        Buffer.compare(hex, bytes) === 0 &&
        Buffer.compare(base64, bytes) === 0
      );
    }),
  );
  for (const text of ['abc', 'zz', '0x']) assert.equal(fromHex(text), undefined, text);
});

test('a digest stays whole on a narrow terminal, other long words are cut', () => {
  const digest = '0123456789abcdef'.repeat(4);
  assert.deepEqual(wrap(`Digest: ${digest}. Compare it.`, 40, '  '), [
    '  Digest:',
    `${digest}.`,
    '  Compare it.',
  ]);
  assert.deepEqual(wrap(`Digest: ${digest}`, 40, '  '), ['  Digest:', digest]);
  assert.deepEqual(wrap(`Digest: ${digest}`, 80, '  '), [`  Digest: ${digest}`]);
  assert.deepEqual(wrap('x'.repeat(50), 40, '  '), [`  ${'x'.repeat(38)}`, `  ${'x'.repeat(12)}`]);
});
