import assert from 'node:assert/strict';
import test from 'node:test';
import { explainRua, lintRptRecord, nearRptRecords } from './index.js';

// [8460-3-24]
test('rua: unreachable addresses, each with the reason', () => {
  const cases: readonly (readonly [uri: string, says: RegExp])[] = [
    ['mailto://a@one.example', /no slashes/],
    ['mailto:one.example', /mailbox, @ and a domain/],
    ['mailto:@one.example', /mailbox, @ and a domain/],
    ['mailto:a b@one.example', /percent-encode/],
    ['mailto:a@bücher.example', /percent-encode/],
    ['mailto:a@one.example!10m', /no size limits/],
    ['mailto:a%zz@one.example', /two hexadecimal digits/],
    ['mailto:a..b@one.example', /is not a mailbox/],
    ['mailto:.a@one.example', /is not a mailbox/],
    ['mailto:a@one..example', /is not a domain name/],
    ['mailto:a@-one.example', /is not a domain name/],
    ['mailto:a@[192.0.2.1]', /is not a domain name/],
    ['mailto:a@localhost', /one label/],
    ['a@one.example', /needs mailto:/],
    ['http://one.example/', /https only/],
    ['https:one.example', /followed by \/\//],
    ['https://user:pw@one.example/', /no user name/],
    ['https://one.example/#x', /fragment/],
    ['https://one.example:65536/', /"65536" is not a port/],
    ['https://one.example:0/', /"0" is not a port/],
    ['https://one.example:/', /"" is not a port/],
    ['https://one.example:https/', /"https" is not a port/],
    ['https://bücher.example/', /percent-encode/],
    ['ftp://one.example/', /only mailto: and https:/],
    ['', /extra comma/],
  ];
  for (const [uri, says] of cases) assert.match(explainRua(uri) ?? 'valid', says, uri);
  for (const uri of [
    'mailto:a@one.example',
    'MAILTO:tls-reports+x@one.example?subject=TLS',
    'mailto:a%2Cb@one.example',
    'https://one.example',
    'https://one.example:8443/v1/a?b=%21',
    'https://one.example:65535/',
  ])
    assert.equal(explainRua(uri), undefined, uri);
});

test('lint of the record: every field and every address', () => {
  const says = (text: string): readonly string[] => lintRptRecord([text]).map((l) => l.message);
  assert.deepEqual(says('v=TLSRPTv1; rua=mailto:a@one.example , https://one.example/x;'), []);
  assert.match(says('v=TLSRPTv1; rua=mailto://a@one.example')[0] ?? '', /no slashes/);
  assert.match(says('v=TLSRPTv1; rua=mailto:a@one.example; RUA=x')[0] ?? '', /case-sensitive/);
  assert.match(says('v=TLSRPTv1; rua=mailto:a@one.example; pct=10')[0] ?? '', /no such field/);
  assert.match(says('v=TLSRPTv1; rua=mailto:a@b.example,mailto:a@b.example')[0] ?? '', /twice/);
  assert.match(says('v=TLSRPTv1; rua=mailto:a@b.example,')[0] ?? '', /extra comma/);
});

test('a near TLS-RPT record is shown with the reason', () => {
  const says = (text: string): string => nearRptRecords([text])[0]?.message ?? '';
  assert.match(says('v=tlsrptv1; rua=mailto:a@one.example'), /case-sensitive/);
  assert.match(says('v=TLSRPT1; rua=mailto:a@one.example'), /the only valid version/);
  assert.match(says('v=TLSRPTv1 rua=mailto:a@one.example'), /semicolon must follow/);
  assert.match(says('rua=mailto:a@one.example'), /must begin with v=TLSRPTv1/);
  assert.match(says('v=STSv1; id=1'), /belongs at _mta-sts/);
  assert.match(says('v=DMARC1; p=none; rua=mailto:a@one.example'), /belongs at _dmarc/);
  assert.equal(says('v=spf1 -all'), '');
  assert.equal(says('v=TLSRPTv1; rua=mailto:a@one.example'), '');
});
