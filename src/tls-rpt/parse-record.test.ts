import assert from 'node:assert/strict';
import test from 'node:test';
import { parseTlsRptRecord } from './index.js';

function read(...texts: string[]): string {
  const { status, rua, problems } = parseTlsRptRecord(texts);
  return [status, ...rua, ...problems.map((p) => p.code)].join(' ');
}

// [8460-3-2, 8460-3-3, 8460-3-4, 8460-3-5, 8460-3-6, 8460-3-7, 8460-3-8, 8460-3-9]
// [8460-3-10, 8460-3-12, 8460-3-13, 8460-3-14]
test('RFC 8460 §3: the record', () => {
  assert.equal(
    read('v=TLSRPTv1; rua=mailto:a@example.com; rua=mailto:b@example.com'),
    'found mailto:a@example.com mailto:b@example.com',
  );
  assert.equal(
    read('v=TLSRPTv1; rua=mailto:a@example.com?subject=TLS'),
    'found mailto:a@example.com?subject=TLS',
  );
  assert.equal(
    read('v=TLSRPTv1; rua=https://example.com/a%2Cb'),
    'found https://example.com/a%2Cb',
  );
  assert.equal(read('v=TLSRPTv1; rua=https://example.com/a!b'), 'invalid rpt-rua-invalid');
  assert.equal(read('V=TLSRPTv1; rua=mailto:a@example.com'), 'absent');
  assert.equal(read('v=TLSRPTv1; RUA=mailto:a@example.com'), 'invalid rpt-rua-missing');
  assert.equal(
    read('v=spf1 -all', 'v=TLSRPTv1; rua=mailto:a@example.com'),
    'found mailto:a@example.com',
  );
  assert.equal(
    read('v=TLSRPTv1; rua=mailto:tlsrpt@example.com'),
    'found mailto:tlsrpt@example.com',
  );
  assert.equal(
    read('v=TLSRPTv1;rua=mailto:a@example.com,https://r.example.com/v1;'),
    'found mailto:a@example.com https://r.example.com/v1',
  );
  assert.equal(read('v=TLSRPTv1; ext=1; rua=mailto:a@example.com'), 'found mailto:a@example.com');
  assert.equal(read('v=spf1 -all'), 'absent');
  assert.equal(
    read('v=TLSRPTv1; rua=mailto:a@example.com', 'v=TLSRPTv1; rua=mailto:a@example.com'),
    'invalid rpt-record-multiple',
  );
  assert.equal(read('v=TLSRPTv1;'), 'invalid rpt-rua-missing');
  assert.equal(
    read('v=TLSRPTv1; rua=mailto:a@example.com, http://r.example.com'),
    'found mailto:a@example.com rpt-rua-invalid',
  );
  assert.equal(read('v=TLSRPTv1; rua=tlsrpt@example.com'), 'invalid rpt-rua-invalid');
  assert.equal(read('v=TLSRPTv1;; rua=mailto:a@example.com'), 'invalid rpt-record-invalid');
});

// [8460-3-4]
test('RFC 8460 §3: blanks and tabs around commas and semicolons', () => {
  const both = 'found mailto:a@b.example https://c.example/d';
  for (const record of [
    'v=TLSRPTv1; rua=mailto:a@b.example ,\thttps://c.example/d',
    'v=TLSRPTv1; rua=mailto:a@b.example\t, https://c.example/d',
    'v=TLSRPTv1\t;\trua=mailto:a@b.example\t \t,\t \thttps://c.example/d\t;\t',
    'v=TLSRPTv1 ;rua=mailto:a@b.example,https://c.example/d \t; ext=1',
    'v=TLSRPTv1; ext=1 \t;\t rua=mailto:a@b.example,\thttps://c.example/d',
  ])
    assert.equal(read(record), both, JSON.stringify(record));
  assert.equal(read('v=TLSRPTv1; rua=mailto:a@b\t.example'), 'invalid rpt-record-invalid');
  assert.equal(read('v=TLSRPTv1; rua=mailto:a@b .example'), 'invalid rpt-rua-invalid');
  assert.equal(read(' v=TLSRPTv1; rua=mailto:a@b.example'), 'absent');
});

test('64 KiB of blanks cost no more than any other 64 KiB', () => {
  const blanks = ' '.repeat(65_000);
  const began = process.cpuUsage();
  assert.equal(
    read(`v=TLSRPTv1; x=${blanks}y; rua=mailto:a@example.com`),
    'found mailto:a@example.com',
  );
  assert.equal(read(`v=TLSRPTv1; rua=mailto:a@b.example${blanks}x`), 'invalid rpt-rua-invalid');
  assert.equal(read(`v=TLSRPTv1; x=${blanks}a\ty`), 'invalid rpt-record-invalid');
  assert.ok(process.cpuUsage(began).user < 200_000);
});
