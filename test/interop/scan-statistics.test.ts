import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { outcomes, senders } from '../../src/tls-policy/index.js';
import {
  classIds,
  csvHeader,
  csvRow,
  gradeDomain,
  jsonLine,
  measureValues,
  parquetChunks,
  StatisticsCollector,
  type DomainGrade,
  type ScanResultRow,
} from '../../src/scan/index.js';
import {
  gradeWith,
  testDomain,
  testHost,
  testServer,
  testVisit,
} from '../support/scan-observations.js';
import { summedKeys, sumsOver, unitSumsOver } from './scan/statistic-sums.js';

const folder = mkdtempSync(join(tmpdir(), 'hermetic-scan-statistics-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const base = gradeDomain({
  domain: testDomain('example.com', ['mx.example.net']),
  hosts: [
    {
      host: testHost('mx.example.net', ['192.0.2.1']),
      visits: [testVisit('mx.example.net', testServer(['mx.example.net']))],
    },
  ],
});

/**
 * Host names that DNS may return: names that domains share, and names with unusual
 * octets.
 */
const hostNames = [
  'mx1.provider.test',
  'mx2.provider.test',
  'MX1.provider.test',
  'mail.xn--bcher-kva.example',
  'mx.bücher.example',
  '邮件.example',
  'a"b.example',
  "o'hare.example",
  'comma,semicolon;.example',
  '=1+1.example',
  'percent%underscore_.example',
  '\u{1f4e7}.example',
] as const;

const rows = fc.array(
  fc.record({
    verdict: fc.constantFrom('pass', 'warn', 'fail', 'inconclusive', 'not-applicable'),
    classes: fc.subarray([...classIds]),
    cell: fc.constantFrom(...outcomes),
    hosts: fc.subarray([...hostNames], { maxLength: 3 }),
    isOwn: fc.boolean(),
    route: fc.constantFrom('yes', 'yes', 'yes', 'no', 'unknown'),
    measures: fc.record({
      signed: fc.constantFrom(...measureValues.signed),
      starttls: fc.constantFrom(...measureValues.starttls),
      certificates: fc.constantFrom(...measureValues.certificates),
      mtaSts: fc.constantFrom(...measureValues.mtaSts),
      mtaStsHosts: fc.constantFrom(...measureValues.mtaStsHosts),
      dane: fc.constantFrom(...measureValues.dane),
      tlsRpt: fc.constantFrom(...measureValues.tlsRpt),
      tls: fc.subarray(['TLSv1', 'TLSv1.2', 'TLSv1.3']),
      inferred: fc.boolean(),
    }),
  }),
  { minLength: 400, maxLength: 400 },
);

/**
 * Returns the results of a scan with randomly combined values, which are the same in each
 * run.
 */
function results(): readonly ScanResultRow[] {
  const [drawn = []] = fc.sample(rows, { numRuns: 1, seed: 21 });
  return drawn.map(({ verdict, classes, cell, hosts, isOwn, route, measures }, index) => {
    const grade = gradeWith(base, {
      verdict,
      // A policy that is not enforced defers no mail.
      classes: classIds.filter(
        (id) =>
          classes.includes(id) && (id !== 'sts-enforce-fails' || measures.mtaSts === 'enforce'),
      ),
      exposure: Object.fromEntries(
        senders.map((sender) => [sender, { ...base.exposure[sender], stripStarttls: cell }]),
      ) as unknown as DomainGrade['exposure'],
      // A null MX names no host, and a failed lookup of the route yields no host.
      measures: { ...measures, mail: route },
    });
    const { shape: _, ...content } = grade;
    const mailHosts = route === 'yes' ? hosts : [];
    return {
      ...content,
      shape: createHash('sha256').update(JSON.stringify(content)).digest('hex'),
      domain: index % 7 === 0 ? `b\u00fccher${index}.example` : `d${index}.example`,
      rank: index % 5 === 0 ? undefined : index + 1,
      mailHosts,
      operators: mailHosts.map((host) => (isOwn ? 'own' : host.slice(host.indexOf('.') + 1))),
    };
  });
}

const given = results();
const collector = new StatisticsCollector();
for (const { domain, mailHosts = [], operators = [], ...grade } of given)
  collector.add({ domain, grade, hosts: mailHosts, operators });

type Counted = 'domains' | 'mailHosts' | 'operators';

/** Returns the statistics that SQL computes too, by key. */
function statisticsBy(counted: Counted): object {
  return Object.fromEntries(
    collector
      .statistics()
      .filter(({ id }) => summedKeys.includes(id))
      .map(({ id, [counted]: { number, of, unknown } }) => [id, { n: number, of, unknown }]),
  );
}

interface Sum {
  readonly key: string;
  readonly n: number;
  readonly of: number;
  readonly unknown: number;
}

async function summed(query: string): Promise<object> {
  const duck = await DuckDBInstance.create(':memory:');
  const connection = await duck.connect();
  try {
    const read = await connection.runAndReadAll(query);
    const sums = read.getRowObjectsJson() as unknown as readonly Sum[];
    return Object.fromEntries(sums.map(({ key, n, of, unknown }) => [key, { n, of, unknown }]));
  } finally {
    connection.closeSync();
  }
}

async function parquetFile(): Promise<string> {
  const file = join(folder, 'scan.parquet');
  const pieces: Uint8Array[] = [];
  for await (const piece of parquetChunks(given, 150)) pieces.push(piece);
  writeFileSync(file, Buffer.concat(pieces));
  return file;
}

test('statistics of odd values equal the sums of DuckDB over Parquet, CSV and JSON', async () => {
  const expected = statisticsBy('domains');
  assert.ok(given.some(({ measures }) => measures.mail === 'no'));
  assert.deepEqual(await summed(sumsOver(`read_parquet('${await parquetFile()}')`)), expected);
  const csv = join(folder, 'scan.csv');
  writeFileSync(csv, csvHeader + given.map(csvRow).join(''));
  const fromCsv = `read_csv('${csv}', header = true, all_varchar = true, quote = '"', escape = '"')`;
  assert.deepEqual(await summed(sumsOver(fromCsv)), expected);
  const json = join(folder, 'scan.jsonl');
  writeFileSync(json, given.map(jsonLine).join(''));
  const measure = (name: string): string => `measures.${name}`;
  const exposure = (sender: string): string => `exposure.${sender}.stripStarttls`;
  const fromJson = `(SELECT ${measure('mail')} AS mail, ${measure('starttls')} AS starttls,
      ${measure('certificates')} AS certificates, ${measure('mtaSts')} AS mta_sts,
      ${measure('signed')} AS signed, ${measure('dane')} AS dane, ${measure('tlsRpt')} AS tls_rpt,
      verdict, array_to_string(classes, ' ') AS classes,
      ${exposure('opportunistic')} AS exposure_opportunistic_strip_starttls,
      ${exposure('mtaStsCached')} AS exposure_mta_sts_cached_strip_starttls,
      ${exposure('dane')} AS exposure_dane_strip_starttls FROM read_json('${json}'))`;
  assert.deepEqual(await summed(sumsOver(fromJson)), expected);
});

test('shares by mail host and by operator equal the sums of DuckDB by unit', async () => {
  const file = await parquetFile();
  const units = (column: string, unit: string): string =>
    `(SELECT DISTINCT * EXCLUDE (item), ${unit} AS unit FROM (
      SELECT *, unnest(string_split(${column}, ' ')) AS item FROM read_parquet('${file}')
      WHERE ${column} <> ''))`;
  assert.deepEqual(
    await summed(unitSumsOver(units('mail_hosts', 'item'))),
    statisticsBy('mailHosts'),
  );
  const operator = `CASE WHEN item = 'own' THEN 'own ' || domain ELSE item END`;
  assert.deepEqual(
    await summed(unitSumsOver(units('operators', operator))),
    statisticsBy('operators'),
  );
});

test('DuckDB reads the same cells from Parquet and CSV as the results contain', async () => {
  const file = await parquetFile();
  const duck = await DuckDBInstance.create(':memory:');
  const connection = await duck.connect();
  try {
    const cells = async (source: string): Promise<readonly unknown[]> =>
      (
        await connection.runAndReadAll(
          `SELECT domain, CAST(rank AS int) AS rank, coalesce(mail_hosts, '') AS hosts FROM ${source}`,
        )
      ).getRowObjectsJson();
    const expected = given.map(({ domain, rank = null, mailHosts = [] }) => ({
      ...{ domain, rank, hosts: mailHosts.join(' ') },
    }));
    assert.deepEqual(await cells(`read_parquet('${file}')`), expected);
    const csv = join(folder, 'cells.csv');
    writeFileSync(csv, csvHeader + given.map(csvRow).join(''));
    assert.deepEqual(
      await cells(
        `read_csv('${csv}', header = true, all_varchar = true, quote = '"', escape = '"')`,
      ),
      // A spreadsheet would evaluate a cell that begins with "=" as a formula.
      expected.map((row) => ({ ...row, hosts: row.hosts.replace(/^=/, "'=") })),
    );
  } finally {
    connection.closeSync();
  }
});
