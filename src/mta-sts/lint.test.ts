import assert from 'node:assert/strict';
import test from 'node:test';
import { lintPolicy, lintStsRecord, nearStsRecords, parsePolicy, parseStsRecord } from './index.js';

const good = ['version: STSv1', 'mode: enforce', 'mx: mx.one.example', 'max_age: 604800'];

/** Returns the policy with line `number` replaced. */
function policy(number: number, line: string): string {
  return good.map((text, i) => (i === number - 1 ? line : text)).join('\r\n');
}

function reason(body: string): string {
  const parsed = parsePolicy(body);
  return parsed.ok ? 'valid' : parsed.failure.detail;
}

test('a refused policy is reported with line and fault', () => {
  const cases: readonly (readonly [body: string, says: RegExp])[] = [
    [
      policy(1, 'Version: STSv1'),
      /^line 1 "Version: STSv1": field names are case-sensitive.*version/,
    ],
    [policy(2, 'MODE: enforce'), /^line 2 .*case-sensitive, write mode/],
    [policy(3, 'MX: mx.one.example'), /^line 3 .*case-sensitive, write mx/],
    [policy(4, 'Max_Age: 604800'), /^line 4 .*case-sensitive, write max_age/],
    [policy(4, 'max-age: 604800'), /^line 4 "max-age: 604800": .*write max_age/],
    [policy(2, 'mode: Enforce'), /^line 2 .*values are case-sensitive, write enforce/],
    [policy(2, 'mode: strict'), /^line 2 .*the modes are enforce, testing, none/],
    [policy(1, 'version: STSv2'), /^line 1 .*the only valid version is STSv1/],
    [policy(4, 'max_age: 1 week'), /^line 4 .*digits only/],
    [policy(4, 'max_age: 00000604800'), /^line 4 .*has 11 digits, at most 10/],
    [policy(4, 'x: y'), /^no max_age$/],
    [policy(3, 'x: y'), /^no mx$/],
    [`\ufeff${good.join('\n')}`, /^line 1 .*byte order mark/],
    [good.join('\r'), /^line 1 .*CR alone/],
    ['<!DOCTYPE html>\n<html>', /^line 1 .*another kind of document/],
    ['v=STSv1; id=1', /^line 1 .*this is the TXT record/],
    [policy(2, 'mode = enforce'), /^line 2 .*a colon separates/],
    [policy(2, '# comment'), /^line 2 .*no comments/],
    [policy(2, ' mode: enforce'), /^line 2 .*start of the line/],
    [policy(3, 'mx: bücher.example'), /^line 3 .*A-labels/],
    [policy(3, 'mx: a.example, b.example'), /^line 3 .*line of its own/],
    [policy(3, 'mx: mx.one.example.'), /^line 3 .*without final dot/],
    [policy(3, 'mx: mx.one.example:25'), /^line 3 .*without port/],
    [policy(3, 'mx: https://mx.one.example'), /^line 3 .*without port or scheme/],
    [policy(3, 'mx: 2001:db8::1'), /^line 3 .*not an address/],
    [policy(3, 'mx: postmaster@one.example'), /^line 3 .*not a mail address/],
    [policy(3, 'mx: mx*.one.example'), /^line 3 .*whole left-most label/],
    [policy(3, 'mx: *'), /^line 3 .*needs a domain/],
    [policy(3, 'mx: .one.example'), /^line 3 .*write \*\./],
    [policy(3, 'mx: mx_1.one.example'), /^line 3 .*underscore/],
    [good.join(' '), /^line 1 .*each field stands on a line of its own/],
    [good.join('; '), /^line 1 .*each field stands on a line of its own/],
    [policy(2, 'mode: enforce, mx: mx.one.example'), /^line 2 .*each field stands on a line/],
    [policy(1, 'version: STSv1;'), /^line 1 .*no comma or semicolon follows/],
    [policy(4, 'max_age: 604800,'), /^line 4 .*no comma or semicolon follows/],
    [policy(2, 'mode: "enforce"'), /^line 2 .*no quotation marks/],
    [policy(3, "mx: 'mx.one.example'"), /^line 3 .*no quotation marks/],
    [policy(3, 'mx: mx.one.example # main'), /^line 3 .*no comments/],
    [policy(3, 'mxs: mx.one.example'), /^no mx; line 3 "mxs: .*that senders do not know/],
    [policy(3, 'mx1: mx.one.example'), /^no mx; line 3 "mx1: /],
    [policy(3, 'nmx: mx.one.example'), /^no mx; line 3 "nmx: /],
    [policy(4, 'maxx_age: 604800'), /^no max_age; line 4 "maxx_age: /],
  ];
  assert.equal(reason(good.join('\n')), 'valid');
  for (const [body, says] of cases) assert.match(reason(body), says, body);
});

// [8461-3.2-15]
test('lint: constructs that senders accept and publishers should avoid', () => {
  const faults = (body: string): readonly string[] => lintPolicy(body).faults;
  assert.deepEqual(lintPolicy(good.join('\n')), { faults: [], notes: [] });
  assert.match(faults(policy(4, 'max_age: 63072000'))[0] ?? '', /^line 4 .*at most 31557600/);
  assert.match(faults(policy(4, 'max_age: 31557601'))[0] ?? '', /at most 31557600/);
  assert.deepEqual(faults(policy(4, 'max_age: 31557600')), []);
  assert.match(faults(policy(4, 'max_age: 0'))[0] ?? '', /senders do not cache the policy/);
  assert.match(faults(`${good.join('\n')}\nmode: testing`)[0] ?? '', /^line 5 .*mode occurs twice/);
  assert.match(
    faults(`${good.join('\n')}\nMX: b.example`)[0] ?? '',
    /^line 5 .*ignore it; write mx/,
  );
  assert.match(faults(policy(3, 'mx: 192.0.2.1'))[0] ?? '', /^line 3 .*an address/);
  for (const odd of ['note: a\0b', 'note: a\tb', 'note: \x7f'])
    assert.match(faults(`${good.join('\n')}\n${odd}`)[0] ?? '', /^line 5 .*control character/);
  const notes = (body: string): readonly string[] => lintPolicy(body).notes;
  assert.match(notes(`${good.join('\n')}\ncontact: x`)[0] ?? '', /^line 5 .*no such field/);
  assert.match(notes(`${good.join('\n')}\nmx: MX.one.example`)[0] ?? '', /^line 5 .*twice/);
  assert.match(notes(policy(3, 'mx: *.example'))[0] ?? '', /every domain below "example"/);
  assert.deepEqual(lintPolicy('nothing'), { faults: [], notes: [] });
});

test('a near MTA-STS record is shown with the reason', () => {
  const cases: readonly (readonly [text: string, says: RegExp])[] = [
    ['v=stsv1; id=1234', /case-sensitive.*v=STSv1/],
    ['V=STSv1; id=1234', /case-sensitive/],
    ['v = STSv1; id=1', /space.*equals sign/],
    [' v=STSv1; id=1', /begins with a space/],
    ['"v=STSv1; id=1"', /quotation marks/],
    ['v=STSv1\u00a0; id=1', /outside US-ASCII/],
    ['\ufeffv=STSv1; id=1', /outside US-ASCII/],
    ['v=STSv1, id=1', /semicolon must follow/],
    ['v=STSv1 id=1', /semicolon must follow/],
    ['v=STSv2; id=1', /the only valid version is STSv1/],
    ['v=STS1; id=1', /the only valid version is STSv1/],
    ['id=1; v=STSv1', /must begin with v=STSv1/],
    ['id=20260101', /must begin with v=STSv1/],
    ['STSv1; id=1', /must begin with v=STSv1/],
    ['version: STSv1', /line of the policy file/],
    ['v=TLSRPTv1; rua=mailto:a@one.example', /belongs at _smtp\._tls/],
  ];
  for (const [text, says] of cases) {
    assert.equal(parseStsRecord([text]).status, 'absent', text);
    const [lint] = nearStsRecords([text]);
    assert.equal(lint?.text, text);
    assert.match(lint.message, says, text);
  }
  for (const text of [
    'v=spf1 -all',
    'v=DMARC1; p=none',
    'google-site-verification=x',
    'v=STSv1; id=1',
    '',
  ])
    assert.deepEqual(nearStsRecords([text]), [], text);
});

test('an invalid record is reported with its field', () => {
  const why = (text: string): string => {
    const parsed = parseStsRecord([text]);
    return parsed.status === 'invalid' ? parsed.failure.detail : parsed.status;
  };
  assert.equal(why('v=STSv1; id=2026-11-01'), 'id "2026-11-01" may hold letters and digits only');
  assert.match(why(`v=STSv1; id=${'1'.repeat(40)}`), /40 characters, at most 32/);
  assert.match(why('v=STSv1; ID=1'), /"ID=1": field names are case-sensitive/);
  assert.match(why('v=STSv1; id = 1'), /"id = 1" has a space/);
  assert.match(why('v=STSv1; id='), /"id=" has no value/);
  assert.match(why('v=STSv1; id:1'), /"id:1" has no equals sign/);
  assert.match(why('v=STSv1;; id=1'), /an empty field/);
  assert.equal(why('v=STSv1;'), 'it has no id');
  assert.match(lintStsRecord(['v=STSv1; id=1; id=2'])[0]?.message ?? '', /id occurs twice/);
  assert.match(lintStsRecord(['v=STSv1; id=1; x=2'])[0]?.message ?? '', /no field "x"/);
  assert.deepEqual(lintStsRecord(['v=STSv1; id=1;', 'v=spf1 -all']), []);
});
