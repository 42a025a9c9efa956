import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Name, parseDomain } from './name.js';

const code = (text: string): string => {
  const parsed = parseDomain(text);
  return parsed.ok ? parsed.value.toString() : parsed.failure.code;
};

test('typed names become A-labels in lower case', () => {
  assert.equal(code('Example.COM.'), 'example.com');
  assert.equal(code('  bücher.example '), 'xn--bcher-kva.example');
  assert.equal(code('例え。テスト'), 'xn--r8jz45g.xn--zckzah');
  assert.equal(code('faß.example'), 'xn--fa-hia.example');
});

test('an invalid mail domain is reported with its fault', () => {
  assert.equal(code(''), 'name-empty');
  assert.equal(code('.'), 'name-empty');
  for (const text of ['a..b', 'a.b..', 'a。。b', '.a'])
    assert.equal(code(text), 'name-empty-label', text);
  assert.equal(code(`${'a'.repeat(64)}.example`), 'name-label-too-long');
  assert.equal(code(`${'a.'.repeat(126)}example`), 'name-too-long');
  for (const text of [
    '192.0.2.1',
    '[192.0.2.1]',
    '0x7f.1',
    '0x7f000001',
    '１２７.0.0.1',
    '127.1',
    'mx.example.25',
    '[2001:db8::1]',
    '2001:db8::1',
    'a_b.example',
    'me@example.com',
    'https://example.com',
    '-a.example',
    'a-.example',
    'a b.example',
    '*.example',
    '\x1b[31m.example',
    'a\u202eb.example',
  ])
    assert.equal(code(text), 'name-not-a-domain', text);
});

test('labels are octets: dots, backslashes and zeros survive presentation form', () => {
  const name = Name.of('a\\.b\\\\.\\000\\255.example');
  assert.deepEqual(
    name.labels.map((l) => [...l]),
    [[0x61, 0x2e, 0x62, 0x5c], [0, 255], [...Buffer.from('example')]],
  );
  assert.equal(name.toString(), 'a\\.b\\\\.\\000\\255.example');
});

test('RFC 4343: only the case of ASCII letters is ignored', () => {
  assert.ok(Name.of('MX.Example').equals(Name.of('mx.eXAMPLE')));
  assert.ok(!Name.of('\\195\\164.example').equals(Name.of('\\195\\132.example')));
  assert.equal(Name.of('MX.Example').toString(), 'MX.Example');
});

test('ancestors, suffixes and the root', () => {
  const name = Name.of('_25._tcp.mx.example');
  assert.ok(
    name.isAtOrBelow(Name.of('example')) && name.isAtOrBelow(name) && name.isAtOrBelow(Name.root),
  );
  assert.ok(
    !name.isAtOrBelow(Name.of('x.example')) &&
      !Name.of('badexample').isAtOrBelow(Name.of('example')),
  );
  assert.equal(name.suffix(2).toString(), 'mx.example');
  assert.equal(name.suffix(9).toString(), name.toString());
  assert.ok(Name.root.parent.isRoot);
});

test('labels survive presentation form unchanged', () => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 63 });
  fc.assert(
    fc.property(fc.array(label, { maxLength: 5 }), (labels) => {
      const made = Name.fromLabels(labels);
      if (!made.ok) return labels.reduce((n, l) => n + l.length + 1, 1) > 255;
      const again = Name.parse(made.value.toString());
      return again.ok && Buffer.compare(again.value.wire, made.value.wire) === 0;
    }),
  );
});

test('any text is a name or a failure, never an exception', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      parseDomain(text);
      Name.parse(text);
      return true;
    }),
  );
});
