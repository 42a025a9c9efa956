import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { testReportJson } from '../../test/support/report/reports.js';
import { runCli } from '../../test/support/run-cli.js';

const VECTOR = 'test/vectors/tls-rpt/additional-info-uri.json';

test('report show writes tables and a page without external resources', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-report-csv-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const store = ['--store', join(folder, 'reports.db')];
  await runCli(['report', 'import', ...store, VECTOR]);
  const { policies } = JSON.parse(readFileSync(VECTOR, 'utf8')) as {
    readonly policies: readonly { readonly policy: Readonly<Record<string, string>> }[];
  };
  const domain = policies[0]?.policy['policy-domain'] ?? '';
  const one = await runCli(['report', 'show', domain, ...store, '--csv']);
  const [header, row = ''] = one.out.split('\r\n');
  assert.equal(header, 'domain,from,to,reporter,policy_type,reports,successful,failed');
  assert.ok(row.startsWith(`${domain},`), one.out + one.err);
  assert.match(row, /,\d+,\d+,\d+$/);
  const all = await runCli(['report', 'show', ...store, '--csv']);
  assert.match(all.out, /^domain,since,last,ongoing,successful,failed\r\n/);
  const page = join(folder, 'report.html');
  const html = await runCli(['report', 'show', domain, ...store, '--html', page]);
  const written = readFileSync(page, 'utf8');
  assert.match(written, new RegExp(`<h1>${domain}</h1>`), html.err);
  assert.match(written, /style-src 'sha256-/);
  assert.doesNotMatch(written, /<script|<link|href="\/|src=/);
  const unnamed = await runCli(['report', 'show', ...store, '--html', page]);
  assert.equal(unnamed.code, 2);
  const both = await runCli(['report', 'show', ...store, '--csv', '--json']);
  assert.equal(both.code, 2);
});

test('report show with an empty name explains the reports that name no domain', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-report-unnamed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const store = ['--store', join(folder, 'reports.db')];
  const none = await runCli(['report', 'show', '', ...store]);
  assert.equal(none.code, 2);
  const file = join(folder, 'report.json');
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const policies = [{ type: 'no-policy-found', domain: null, ok: 1, failed: 8 }];
  writeFileSync(file, testReportJson({ reporter: 'big.example', day, policies }));
  await runCli(['report', 'import', '--no-verify', ...store, file]);
  const overview = await runCli(['report', 'show', ...store]);
  assert.match(overview.out, /\(no domain named\) +8 of 9/);
  assert.match(overview.out.replace(/\s+/g, ' '), /: hermetic report show ''/);
  const page = await runCli(['report', 'show', '', ...store]);
  assert.equal(page.code, 1, page.err);
  assert.match(page.out.replace(/\s+/g, ' '), /8 sessions, reported by big\.example/);
});

test('a reporter name never becomes a spreadsheet formula', async () => {
  const { renderOverviewCsv } = await import('./render-report-csv.js');
  const line = { domain: '=cmd()', since: '2026-01-01', last: '2026-01-02', ongoing: true };
  const failing = [{ ...line, successful: 1, failed: 2 }];
  const overview = { failing } as unknown as Parameters<typeof renderOverviewCsv>[0];
  assert.ok(renderOverviewCsv(overview).includes("'=cmd(),2026-01-01,2026-01-02,yes,1,2"));
});
