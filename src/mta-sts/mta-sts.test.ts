import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatPolicy, matchMx, parsePolicy, parseStsRecord } from './index.js';

function record(...texts: string[]): string {
  const parsed = parseStsRecord(texts);
  return parsed.status === 'invalid'
    ? parsed.failure.code
    : parsed.status === 'found'
      ? `id ${parsed.id}`
      : 'absent';
}

// [8461-3.1-2, 8461-3.1-3, 8461-3.1-4, 8461-3.1-5, 8461-3.1-6, 8461-3.1-7, 8461-3.1-8]
// [8461-3.1-9]
test('RFC 8461 §3.1: the record', () => {
  assert.equal(record('v=STSv1; id=20160831085700Z;'), 'id 20160831085700Z');
  assert.equal(record('v=STSv1;id=1'), 'id 1');
  assert.equal(record('v=STSv1 ; id=1 ;'), 'id 1');
  assert.equal(record('v=STSv1; ext=%!; id=a1;'), 'id a1');
  assert.equal(record('v=STSv1; id=1; id=2'), 'id 1', 'the first counts');
  assert.equal(record(), 'absent');
  assert.equal(record('v=spf1 -all', 'v=STSv12; id=1', 'v=stsv1; id=1'), 'absent');
  assert.equal(record('v=spf1 -all', 'v=STSv1; id=1'), 'id 1', 'other records do not count');
  assert.equal(record('v=STSv1; id=1', 'v=STSv1; id=1'), 'sts-record-multiple');
  for (const bad of [
    'v=STSv1;',
    'v=STSv1',
    'v=STSv1; id=',
    'v=STSv1; id=a-b',
    `v=STSv1; id=${'1'.repeat(33)}`,
    'v=STSv1;; id=1',
    'v=STSv1; id=1; ä=1',
    'v=STSv1; id=1; x y=1',
  ]) {
    assert.equal(record(bad), 'sts-record-invalid', bad);
  }
});

const good =
  'version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n';

function policy(body: string): string {
  const parsed = parsePolicy(body);
  return parsed.ok
    ? `${parsed.value.mode} ${parsed.value.maxAge} ${parsed.value.mx.join(',')}`
    : parsed.failure.code;
}

// [8461-3.2-3, 8461-3.2-4, 8461-3.2-5, 8461-3.2-8, 8461-3.2-10, 8461-3.2-11]
test('RFC 8461 §3.2: the policy', () => {
  assert.equal(policy(good), 'enforce 604800 mail.example.com,*.example.net');
  assert.equal(
    policy(good.replace(/\n/g, '\r\n')),
    'enforce 604800 mail.example.com,*.example.net',
  );
  assert.equal(
    policy(good.trimEnd()),
    'enforce 604800 mail.example.com,*.example.net',
    'the last line end may be missing',
  );
  const many = Array.from({ length: 1500 }, (_, n) => `mx: h${n}.example.com\n`).join('');
  assert.match(policy(good.replace('mx: mail', `${many}mx: mail`)), /,mail\.example\.com,/);
  assert.equal(
    policy(`${good}mode: none\nmax_age: 1\n`),
    'enforce 604800 mail.example.com,*.example.net',
    'the first of a repeated field counts',
  );
  assert.equal(policy(`${good}unknown: field\n`), 'enforce 604800 mail.example.com,*.example.net');
  assert.equal(
    policy(good.replace('604800', '9999999999')),
    'enforce 31557600 mail.example.com,*.example.net',
    'a longer age is cut to a year',
  );
  assert.equal(
    policy('version: STSv1\nmode: none\nmax_age: 86400\n'),
    'none 86400 ',
    'mode none needs no mx',
  );
  assert.equal(
    policy(good.replace('mail.example.com', 'MAIL.Example.com')),
    'enforce 604800 mail.example.com,*.example.net',
  );
});

// [8461-3.2-4, 8461-3.2-5, 8461-3.2-7]
test('RFC 8461 §3.2: invalid policies', () => {
  const bad = [
    '',
    good.replace('STSv1', 'STSv2'),
    good.replace('enforce', 'Enforce'),
    good.replace('mode: enforce\n', ''),
    good.replace('max_age: 604800\n', ''),
    good.replace('604800', '1.5'),
    good.replace('604800', '0x10'),
    good.replace('604800', '12345678901'),
    good.replace('604800', '-1'),
    good.replace(/mx: .*\n/g, ''),
    '<html>\n',
    good.replace('version', ' version'),
  ];
  for (const body of bad) assert.equal(policy(body), 'sts-policy-invalid', body);
});

test('[8461-3.2-6] every mx value outside the grammar is refused', () => {
  for (const value of [
    'a.test ciphers=low',
    '*',
    '*.',
    '*.*.test',
    'a*.test',
    '.test',
    'a..test',
    'bücher.test',
    'a.test,b.test',
    '{ x }',
    'a_b.test',
    '-a.test',
    'a.test:25',
    '"a.test"',
  ]) {
    assert.equal(policy(good.replace('mail.example.com', value)), 'sts-policy-invalid', value);
  }
});

test('RFC 8461 §4.1 [8461-4.1-1, 8461-4.1-2]: matching', () => {
  assert.ok(matchMx('mail.example.com', 'MAIL.example.com.'));
  assert.ok(matchMx('*.example.com', 'mx.example.com'));
  for (const host of [
    'example.com',
    'a.b.example.com',
    'xexample.com',
    'mx.example.com.evil.test',
    '.example.com',
  ])
    assert.equal(matchMx('*.example.com', host), false, host);
  assert.equal(matchMx('mail.example.com', 'xmail.example.com'), false);
});

test('property: records and policies survive formatting and parsing', () => {
  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
  const mx = fc
    .tuple(fc.boolean(), fc.array(label, { minLength: 1, maxLength: 4 }))
    .map(([wild, labels]) => `${wild ? '*.' : ''}${labels.join('.')}`);
  fc.assert(
    fc.property(
      fc.constantFrom('enforce' as const, 'testing' as const, 'none' as const),
      fc.nat(31_557_600),
      fc.array(mx, { minLength: 1, maxLength: 5 }),
      (mode, maxAge, patterns) => {
        const read = parsePolicy(formatPolicy({ mode, maxAge, mx: patterns }));
        assert.deepEqual(read.ok && read.value, { mode, maxAge, mx: patterns });
      },
    ),
  );
});

test('64 KiB of blanks cost no more than any other 64 KiB', () => {
  const blanks = ' '.repeat(65_000);
  const began = process.cpuUsage();
  assert.equal(policy(`${good}x: ${blanks}y\n`), policy(good));
  assert.equal(policy(`${good}x:${blanks}\u2028y\n`), 'sts-policy-invalid');
  assert.equal(parseStsRecord([`v=STSv1; id=1; x=${blanks}y`]).status, 'invalid');
  assert.ok(process.cpuUsage(began).user < 300_000);
});

test('property: no text makes the parsers throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      parsePolicy(text);
      parseStsRecord([text, `v=STSv1;${text}`]);
    }),
  );
});
