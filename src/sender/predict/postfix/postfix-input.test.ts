import assert from 'node:assert/strict';
import test from 'node:test';
import { expandValue } from './expand-value.js';
import { openTable, parseTableList, type Lookup } from './lookup-tables.js';
import { parseParameters } from './parse-parameters.js';
import { parseProtocols } from './parse-protocols.js';
import { parseTlsPolicy } from './parse-tls-policy.js';
import { readPostfix } from './read-postfix.js';

const parameter = (text: string, name: string): string | undefined =>
  parseParameters(text).parameters.get(name);

test('a line with leading white space continues the previous line', () => {
  assert.equal(parameter('a = 1,\n\t2,\n  3\nb = 4\n', 'a'), '1, 2, 3');
});

test('comments and empty lines do not end a continued line', () => {
  assert.equal(parameter('a = 1\n# b = 2\n\n   # no\n  2\n', 'a'), '1 2');
});

test('a comment starts at the beginning of a line', () => {
  assert.equal(parameter('a = 1 # 2\n', 'a'), '1 # 2');
});

test('files with CRLF read the same', () => {
  assert.equal(parameter('a = 1\r\n  2\r\nb = 3\r\n', 'a'), '1 2');
});

test('the last line of a parameter counts', () => {
  assert.equal(parameter('a = 1\na = 2', 'a'), '2');
});

test('lines without a parameter are reported', () => {
  assert.deepEqual(parseParameters('hello world\na = 1').unread, ['hello world']);
});

test('parameters of services come from postconf -P', () => {
  const { services, parameters } = parseParameters(
    'smtp/unix/smtp_tls_security_level = dane\n127.0.0.1:10025/inet/mynetworks = x',
  );
  assert.equal(services.get('smtp/unix')?.get('smtp_tls_security_level'), 'dane');
  assert.equal(parameters.size, 0);
});

test('a file of 5 MB is read in less than a second of CPU time', () => {
  const text = 'smtp_tls_policy_maps = x\n'.repeat(100_000) + `a = ${'$'.repeat(2_500_000)}`;
  const before = process.cpuUsage();
  parseParameters(text);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 2_000_000);
});

const values: Readonly<Record<string, string>> = {
  empty: '',
  one: '1',
  two: '$one$one',
  loop: '$loop',
  bomb0: '$bomb1$bomb1',
  ...Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`bomb${at + 1}`, `$bomb${at + 2}$bomb${at + 2}`]),
  ),
};
const expanded = (text: string): string => {
  const result = expandValue(text, (name) => values[name]);
  return result.ok ? result.value : `? ${result.reason}`;
};

const expansions: readonly (readonly [string, string])[] = [
  ['$one', '1'],
  ['${one}', '1'],
  ['$(one)', '1'],
  ['a$two.b', 'a11.b'],
  ['${two}x', '11x'],
  ['$$one', '$one'],
  ['${one?yes}', 'yes'],
  ['${empty?yes}', ''],
  ['${empty:no}', 'no'],
  ['${one:no}', ''],
  ['${one?{$two}:{no}}', '11'],
  ['${empty?{yes}:{$one}}', '1'],
  ['${ one }', '1'],
  // Results of postconf -xh of Postfix 3.7.
  ['${{a} == {b} ? {1} : {2}}', '2'],
  ['${{$one} == {1} ? {$two} : {no}}', '11'],
  ['${{10} > {9} ? {number} : {text}}', 'number'],
  ['${{10x} > {9x} ? {number} : {text}}', 'text'],
  ['${{3.6} <level {3.11} ? {old} : {new}}', 'old'],
  ['${{3.6} >=level {3.6} ? {yes} : {no}}', 'yes'],
  ['${{3} ==level {3.0} ? {yes} : {no}}', 'yes'],
  ['${{a} == {a}}', 'true'],
  ['${{a}!={b}?{1}}', '1'],
  ['${{a} != {a} ? {1}}', ''],
  ['${{ a } == {a} ? {x} : {y}}', 'y'],
  ['${{} == {$empty} ? {empty} : {not}}', 'empty'],
  ['${{a} == {a} ? {${{b} == {c} ? {x} : {deep}}} : {y}}', 'deep'],
];
for (const [text, value] of expansions)
  test(`${text} expands to "${value}"`, () => assert.equal(expanded(text), value));

test('unknown names, loops and unknown forms leave a value unknown', () => {
  const comparisons = [
    '${{a} =~ {b} ? {1} : {2}}',
    '${{a} == b ? {1}}',
    '${{a} == {$nothing} ? {1}}',
  ];
  for (const text of ['$nothing', '$loop', '$bomb0', '${one', '$-', ...comparisons])
    assert.match(expanded(text), /^\?/, text);
});

const find = (list: string, key: string, files: Readonly<Record<string, string>> = {}): Lookup => {
  const [table] = parseTableList(list);
  assert.ok(table);
  return openTable(table, ({ name }) => {
    const text = files[name];
    return text === undefined ? { ok: false, reason: 'absent' } : { ok: true, text };
  }).lookup(key);
};
const found = (...args: Parameters<typeof find>): string => {
  const answer = find(...args);
  return answer.kind === 'found' ? answer.value : answer.kind;
};

test('tables are separated by commas or white space outside braces', () => {
  const types = parseTableList('hash:/a, texthash:/b inline:{ {a = b, c} }, proxy:lmdb:/d').map(
    ({ type, name }) => `${type} ${name}`,
  );
  assert.deepEqual(types, ['hash /a', 'texthash /b', 'inline { {a = b, c} }', 'lmdb /d']);
});

test('static, inline and fail tables answer without a file', () => {
  assert.equal(found('static:encrypt', 'a.example'), 'encrypt');
  assert.equal(found('static:{secure match=a}', 'a.example'), 'secure match=a');
  assert.equal(found('inline:{a.example=may, b.example=none}', 'B.example'), 'none');
  assert.equal(found('inline:{ { a.example = secure match=x } }', 'a.example'), 'secure match=x');
  assert.equal(found('inline:{a=may, A=none}', 'a'), 'unknown', 'a key twice');
  assert.equal(found('fail:x', 'a'), 'error');
});

test('indexed tables are read from their source', () => {
  const text = '# comment\r\na.example  secure\r\n  match=x\r\nA.example none\r\nkeyonly\r\n';
  for (const type of ['hash', 'btree', 'lmdb', 'cdb', 'proxy:hash'])
    assert.equal(found(`${type}:/t`, 'a.example', { '/t': text }), 'secure match=x');
  assert.equal(found('texthash:/t', 'a.example', { '/t': 'a.example may' }), 'may');
  assert.equal(found('texthash:/t', 'a.example', { '/t': text }), 'unknown', 'a key twice');
  assert.equal(found('hash:/t', 'keyonly', { '/t': text }), 'missing');
});

test('tables that need a program are unknown', () => {
  for (const list of [
    'socketmap:unix:/x:y',
    'tcp:127.0.0.1:1',
    'ldap:/x',
    'mysql:/x',
    '/x',
    'hash:/no',
  ])
    assert.equal(found(list, 'a'), 'unknown', list);
});

test('simple patterns are evaluated, others are not', () => {
  const text = [
    '/^mail\\.example\\.com$/ none',
    '/\\.bank\\.example$/i encrypt',
    '!/example/ may',
    '/(a|b)+$/ secure',
  ].join('\n');
  const answer = (key: string): string => found('regexp:/r', key, { '/r': text });
  assert.equal(answer('MAIL.example.com'), 'none');
  assert.equal(answer('x.bank.example'), 'encrypt');
  assert.equal(answer('other.test'), 'may');
  assert.equal(answer('www.example'), 'unknown');
});

test('a pattern cannot take exponential time', () => {
  const text = `/${'.*'.repeat(40)}x/ may`;
  assert.equal(found('pcre:/r', 'a'.repeat(250), { '/r': text }), 'unknown');
});

test('policy entries are parsed as Postfix parses them', () => {
  const parsed = parseTlsPolicy('Secure match=.a.example:b.example protocols=>=TLSv1.2');
  assert.deepEqual(parsed, {
    ok: true,
    entry: {
      level: 'secure',
      match: ['.a.example', 'b.example'],
      protocols: '>=TLSv1.2',
      servername: undefined,
      suites: undefined,
      tafile: false,
    },
  });
  const braced = parseTlsPolicy('secure { match = a.example }, servername=hostname');
  assert.ok(braced.ok);
  assert.deepEqual(braced.entry.match, ['a.example']);
  assert.equal(braced.entry.servername, 'hostname');
});

const faulty = [
  '',
  'strict',
  'encrypt match=a',
  'secure match=',
  'dane ciphers=high ciphers=low',
  'may unknown=1',
  'secure match',
  'encrypt tafile=/x',
  'secure servername=a/b',
];
for (const text of faulty)
  test(`the policy entry "${text}" defers mail`, () =>
    assert.equal(parseTlsPolicy(text).ok, false));

const protocols: readonly (readonly [string, readonly string[] | undefined])[] = [
  ['', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
  ['>=TLSv1.2', ['TLSv1.2', 'TLSv1.3']],
  ['>=TLSv1.2, <=TLSv1.2', ['TLSv1.2']],
  ['>=0303', ['TLSv1.2', 'TLSv1.3']],
  ['!SSLv2, !SSLv3', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
  ['!SSLv2:!SSLv3:!TLSv1:!TLSv1.1', ['TLSv1.2', 'TLSv1.3']],
  ['!SSLv2, !SSLv3, !TLSv1.1', ['TLSv1']],
  ['TLSv1.2', ['TLSv1.2']],
  ['TLSv1.3 !TLSv1.3', []],
  ['TLSv9', undefined],
];
for (const [text, versions] of protocols)
  test(`protocols "${text}"`, () => assert.deepEqual(parseProtocols(text), versions));

const levels = (policies: string, domain: string, more = ''): string => {
  const { rules } = readPostfix({
    text: `smtp_tls_security_level = may\nsmtp_tls_policy_maps = ${policies}\n${more}`,
    readTable: () => ({ ok: false, reason: 'absent' }),
    domain,
  });
  return rules.tls.known ? rules.tls.value : 'unknown';
};

test('a parent domain matches with its leading dot only', () => {
  const table = 'inline:{ .example.com=encrypt, example.org=encrypt }';
  assert.equal(levels(table, 'mail.example.com'), 'required');
  assert.equal(levels(table, 'a.b.example.com'), 'required');
  assert.equal(levels(table, 'example.com'), 'opportunistic');
  assert.equal(levels(table, 'mail.example.org'), 'opportunistic');
});

test('the domain is searched in every table before its parents', () => {
  const tables = 'inline:{ .example.com=encrypt }, inline:{ a.example.com=none }';
  assert.equal(levels(tables, 'a.example.com'), 'never');
});

test('a next hop in brackets has no parents', () => {
  const hop = 'relayhost = [a.example.com]:25';
  assert.equal(levels('inline:{ .example.com=encrypt }', 'x.example', hop), 'opportunistic');
  assert.equal(levels('inline:{ [a.example.com]:25=encrypt }', 'x.example', hop), 'required');
});

test('a policy server is asked before the parents of a domain', () => {
  const tables =
    'inline:{ .example.com=encrypt, b.example.com=none } socketmap:inet:127.0.0.1:8461:hermetic';
  const stsOf = (domain: string): unknown => {
    const { rules } = readPostfix({
      text: `smtp_tls_policy_maps = ${tables}\nsmtp_dns_support_level = dnssec`,
      readTable: () => ({ ok: false, reason: '' }),
      domain,
      policyServer: 'hermetic',
    });
    return [rules.tls.known && rules.tls.value, rules.mtaSts.known && rules.mtaSts.value.use];
  };
  assert.deepEqual(stsOf('a.example.com'), ['required', 'enforce']);
  assert.deepEqual(stsOf('b.example.com'), ['never', 'no']);
});

test('a table of 5 MB is read in little CPU time', () => {
  const lines = Array.from(
    { length: 160_000 },
    (_, at) => `domain${at}.example match-without-level`,
  );
  const before = process.cpuUsage();
  const { destinations, warnings } = readPostfix({
    text: 'smtp_tls_policy_maps = regexp:/patterns, hash:/table',
    readTable: ({ name }) => ({
      ok: true,
      text: name === '/table' ? lines.join('\n') : '/^a.*b.*c.*$/ may\n'.repeat(2000),
    }),
    domain: 'x.example',
  });
  const { user, system } = process.cpuUsage(before);
  assert.equal(destinations.length, 200);
  assert.equal(warnings.length, 200);
  assert.ok(user + system < 3_000_000, `${user + system}`);
});
