import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { collect, collectOptions, grade, nameOf } from '../../src/check/index.js';
import { labOptions, openLab } from '../../src/cli/lab.js';
import { openCluster } from '../../src/scan/index.js';
import { runCli } from '../support/run-cli.js';

/** Domains of the lab without addresses that rest: those would take minutes. */
const domains = [
  'good.example',
  'sts-only.example',
  'dane-only.example',
  'signed-only.example',
  'opportunistic.example',
  'plaintext.example',
  'expired.example',
  'self-signed.example',
  'wrong-host.example',
  'null-mx.example',
  'dane-mismatch.example',
  'sts-mx-mismatch.example',
];

const folder = mkdtempSync(join(tmpdir(), 'hermetic-scan-command-'));
const list = join(folder, 'domains.txt');
const local = ['--local', join(folder, 'scans')];
const quick = ['--lab', '--spacing', '0', '--max-rests', '0'];

before(() => {
  chmodSync(folder, 0o755);
  writeFileSync(list, `${domains.join('\n')}\nnot a domain\n`);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('commands that read create nothing', async () => {
  const [absent, empty] = [join(folder, 'absent'), join(folder, 'empty')];
  mkdirSync(empty);
  for (const command of [['list'], ['show', '1'], ['pause', '1'], ['why', 'good.example']])
    for (const at of [absent, empty]) {
      const { code, err } = await runCli(['scan', ...command, '--local', at]);
      assert.equal(code, 2);
      assert.match(err, /scan-database-empty/);
    }
  const missing = await runCli(['scan', 'start', join(folder, 'no-list'), '--local', absent]);
  assert.match(missing.err, /no-list: .*\(file-unreadable\)/);
  assert.equal(existsSync(absent), false);
  assert.deepEqual(readdirSync(empty), []);
});

test('a scan of the lab gives every domain the verdict of a check', async () => {
  const { code, out, err } = await runCli(['scan', 'start', list, ...local, ...quick]);
  assert.equal(code, 0, err);
  assert.match(err, /No domain in 1 line of the list/);
  assert.match(out, /12 domains {3}done/);
  assert.match(out, /with a signed mail route/);
  const { out: exported } = await runCli(['scan', 'export', '1', ...local]);
  const rows = exported.trim().split('\n').map(parseRow);
  assert.deepEqual(
    rows.map(({ domain }) => domain),
    domains,
  );
  const lab = await openLab(domains);
  try {
    const options = collectOptions({ ...labOptions(lab), depth: 'triage' });
    for (const { domain, verdict } of rows)
      assert.equal(verdict, grade(await collect(nameOf(domain), options)).verdict, domain);
  } finally {
    await lab.close();
  }
});

function parseRow(line: string): { readonly domain: string; readonly verdict: string } {
  return JSON.parse(line) as { readonly domain: string; readonly verdict: string };
}

test('the statistics equal sums of SQL over the grades', async () => {
  const cluster = await openCluster(join(folder, 'scans'));
  const database = await cluster.open();
  try {
    const sums = await database.query<{ key: string; n: number; of: number; unknown: number }>(
      `WITH graded AS (
        SELECT s.grade -> 'measures' AS m FROM hermetic_scan.scan_domain d
        JOIN hermetic_scan.shape s ON s.id = d.shape_id WHERE d.scan_id = 1
      ), mail AS (SELECT m FROM graded WHERE m ->> 'mail' = 'yes')
      SELECT 'mail' AS key, count(*) FILTER (WHERE m ->> 'mail' = 'yes') AS n,
        count(*) FILTER (WHERE m ->> 'mail' <> 'unknown') AS of,
        count(*) FILTER (WHERE m ->> 'mail' = 'unknown') AS unknown FROM graded
      UNION ALL SELECT 'tlsrpt', count(*) FILTER (WHERE m ->> 'tlsRpt' IN ('found', 'invalid')),
        count(*) FILTER (WHERE m ->> 'tlsRpt' NOT IN ('unknown', 'not-applicable')),
        count(*) FILTER (WHERE m ->> 'tlsRpt' = 'unknown') FROM mail
      UNION ALL SELECT 'starttls', count(*) FILTER (WHERE m ->> 'starttls' = 'all'),
        count(*) FILTER (WHERE m ->> 'starttls' IN ('all', 'some', 'none')),
        count(*) FILTER (WHERE m ->> 'starttls' = 'unknown') FROM mail
      UNION ALL SELECT 'sts-enforce', count(*) FILTER (WHERE m ->> 'mtaSts' = 'enforce'),
        count(*) FILTER (WHERE m ->> 'mtaSts' NOT IN ('absent', 'unknown')),
        count(*) FILTER (WHERE m ->> 'mtaSts' = 'unknown') FROM mail ORDER BY 1`,
    );
    const stored = await database.query(
      `SELECT key, n, of, unknown FROM hermetic_scan.stat WHERE scan_id = 1
        AND counted = 'domains' AND key IN ('mail', 'tlsrpt', 'starttls', 'sts-enforce')
        ORDER BY key`,
    );
    assert.equal(sums.length, 4);
    assert.deepEqual(stored, sums);
    assert.ok(sums.every(({ of }) => of > 0));
  } finally {
    await database.close();
    await cluster.close();
  }
});

test('why shows the facts of one domain, and refuses an unknown one', async () => {
  const { out } = await runCli(['scan', 'why', 'dane-mismatch.example', ...local]);
  assert.match(out, /scan 1 .* fail/);
  assert.match(out, /dane-mismatch\.example +FAIL/);
  const absent = await runCli(['scan', 'why', 'other.example', ...local]);
  assert.equal(absent.code, 2);
  assert.match(absent.err, /scan-domain-absent/);
});

test('a second scan connects only to hosts whose records changed', async () => {
  const again = ['scan', 'start', list, '--name', 'again', ...local, ...quick];
  assert.equal((await runCli(again)).code, 0);
  const { out } = await runCli(['scan', 'show', '2', '--json', ...local]);
  const shown = JSON.parse(out) as { readonly connections: number; readonly graded: number };
  assert.equal(shown.graded, domains.length);
  // Each lab has new keys, and so new TLSA records at the hosts with DANE.
  assert.ok(shown.connections <= 4, `${shown.connections} connections`);
  const { out: changes } = await runCli(['scan', 'diff', '1', '2', ...local]);
  const kinds = changes
    .trim()
    .split('\n')
    .map((line) => line.split('  ')[1]);
  assert.deepEqual([...new Set(kinds)], ['tlsa']);
});

test('CSV has a row for each domain, in the order of the list', async () => {
  const file = join(folder, 'scan.csv');
  await runCli(['scan', 'export', '1', ...local, '--format', 'csv', '--out', file]);
  const [header = '', ...rows] = readFileSync(file, 'utf8').trimEnd().split('\r\n');
  assert.match(header, /^domain,rank,tld,mail_hosts,/);
  assert.deepEqual(
    rows.map((row) => row.split(',')[0]),
    domains,
  );
});

test('hosts that opted out are not visited', async () => {
  const optOut = join(folder, 'left-alone.txt');
  writeFileSync(optOut, '*.good.example\n198.51.100.0/24\n');
  const args = ['scan', 'start', list, '--name', 'third', '--revisit', '0', '--opt-out', optOut];
  assert.equal((await runCli([...args, ...local, ...quick])).code, 0);
  const { out } = await runCli(['scan', 'show', '3', '--json', ...local]);
  const { connections, visits } = JSON.parse(out) as {
    readonly connections: number;
    readonly visits: { readonly optedOut: number };
  };
  assert.equal(connections, 0);
  assert.ok(visits.optedOut > 5);
});
