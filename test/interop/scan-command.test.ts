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
import { DuckDBInstance } from '@duckdb/node-api';
import { systemClock } from '../../src/base/index.js';
import { collect, collectOptions, grade, nameOf } from '../../src/check/index.js';
import { labOptions, openLab } from '../../src/cli/lab.js';
import { openCluster, statisticPages, type Database } from '../../src/scan/index.js';
import { statisticsSource } from '../../src/server/statistics-source.js';
import { runCli } from '../support/run-cli.js';
import { TestPages } from '../support/testing-pages.js';
import { sumsOver, summedKeys } from './scan/statistic-sums.js';

/**
 * Domains of the lab without busy addresses, whose repeated visits would take minutes.
 */
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

test('read-only commands create nothing', async () => {
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
  await withScans(async (database) => {
    const measure = (name: string): string => `s.grade -> 'measures' ->> '${name}'`;
    const sums = await database.query<SummedStatistic>(
      `WITH graded AS (
        SELECT ${measure('mail')} AS mail, ${measure('starttls')} AS starttls,
          ${measure('certificates')} AS certificates, ${measure('mtaSts')} AS mta_sts,
          ${measure('signed')} AS signed, ${measure('dane')} AS dane,
          ${measure('tlsRpt')} AS tls_rpt, s.grade ->> 'verdict' AS verdict,
          (SELECT string_agg(c, ' ') FROM jsonb_array_elements_text(s.grade -> 'classes') c)
            AS classes,
          s.grade -> 'exposure' -> 'opportunistic' ->> 'stripStarttls'
            AS exposure_opportunistic_strip_starttls,
          s.grade -> 'exposure' -> 'mtaStsCached' ->> 'stripStarttls'
            AS exposure_mta_sts_cached_strip_starttls,
          s.grade -> 'exposure' -> 'dane' ->> 'stripStarttls' AS exposure_dane_strip_starttls
        FROM hermetic_scan.scan_domain d JOIN
          (SELECT id, body::jsonb AS grade FROM hermetic_scan.fact) s ON s.id = d.shape_id
        WHERE d.scan_id = 1
      ) ${sumsOver('graded')}`,
    );
    assert.deepEqual(byKey(sums), await storedSums(database));
  });
});

test('the statistics equal the sums of DuckDB over the Parquet export', async () => {
  const file = join(folder, 'scan.parquet');
  await runCli(['scan', 'export', '1', ...local, '--format', 'parquet', '--out', file]);
  const duck = await DuckDBInstance.create(':memory:');
  const connection = await duck.connect();
  try {
    const rows = await connection.runAndReadAll(sumsOver(`read_parquet('${file}')`));
    const sums = rows.getRowObjectsJson() as unknown as readonly SummedStatistic[];
    await withScans(async (database) => {
      assert.deepEqual(byKey(sums), await storedSums(database));
    });
  } finally {
    connection.closeSync();
  }
});

interface SummedStatistic {
  readonly key: string;
  readonly n: number;
  readonly of: number;
  readonly unknown: number;
}

async function withScans<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const cluster = await openCluster(join(folder, 'scans'));
  const database = await cluster.open();
  try {
    return await work(database);
  } finally {
    await database.close();
    await cluster.close();
  }
}

function byKey(sums: readonly SummedStatistic[]): object {
  return Object.fromEntries(sums.map(({ key, n, of, unknown }) => [key, { n, of, unknown }]));
}

/**
 * Returns the stored statistics of the scan by domain. The sums include all statistics
 * except those that count single TLS versions.
 */
async function storedSums(database: Database): Promise<object> {
  const stored = await database.query<SummedStatistic>(
    `SELECT key, n, of, unknown FROM hermetic_scan.stat
      WHERE scan_id = 1 AND counted = 'domains' AND key = ANY($1)`,
    [summedKeys],
  );
  assert.equal(stored.length, summedKeys.length);
  assert.ok(stored.filter(({ n }) => n > 0).length >= 15);
  return byKey(stored);
}

test('the pages of the daemon show the stored statistics', async (t) => {
  await withScans(async (database) => {
    const socket = encodeURIComponent(join(folder, 'scans', 'socket'));
    const url = `postgres://hermetic@/postgres?host=${socket}`;
    const statistics = statisticsSource(url, systemClock, () => undefined);
    t.after(() => statistics.close());
    const site = await TestPages.open(t, {}, { statistics });
    assert.match(await site.text('/statistics'), /href="\/statistics\/1\/overview"/);
    const [mail] = await database.query<SummedStatistic>(
      `SELECT key, n, of, unknown FROM hermetic_scan.stat
        WHERE scan_id = 1 AND counted = 'domains' AND key = 'mail'`,
    );
    const page = await site.text('/statistics/1/overview');
    assert.ok(page.includes(`${mail?.n} of ${mail?.of}`), page);
    assert.match(page, /visited to measure the error of inference|so its size is unknown/);
    const numbers = await statistics.numbers(1);
    assert.ok((numbers?.method?.visited ?? 0) > 5);
    assert.deepEqual(
      numbers?.pages.map(({ name }) => name),
      statisticPages,
    );
    // The second call reads from memory, so the server may be unreachable.
    assert.equal(await statistics.numbers(1), numbers);
    assert.equal(await statistics.numbers(99), undefined);
  });
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

test('opted-out hosts are not visited', async () => {
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
