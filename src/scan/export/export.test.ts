import assert from 'node:assert/strict';
import test from 'node:test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import {
  gradeWith,
  testDomain,
  testHost,
  testServer,
  testVisit,
} from '../../../test/support/scan-observations.js';
import { gradeDomain } from '../grade/grade-domain.js';
import { dataDictionary, exportColumns, type ScanResultRow } from './columns.js';
import { csvHeader, csvRow, jsonLine, scanResultSchema } from './export-rows.js';
import { parquetChunks } from './parquet-chunks.js';

const server = testServer(['mx.example.net']);
const grade = gradeDomain({
  domain: testDomain('example.com', ['mx.example.net']),
  hosts: [
    {
      host: testHost('mx.example.net', ['192.0.2.1']),
      visits: [testVisit('mx.example.net', server)],
    },
  ],
});
const row: ScanResultRow = {
  ...grade,
  domain: 'example.com',
  rank: 7,
  mailHosts: ['=cmd.example.net', 'mx.example.net'],
  operators: ['example.net'],
};

/** Parses CSV in the format of RFC 4180. */
function readCsv(text: string): string[][] {
  return text
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
}

test('a CSV row has a cell for each column, and no cell is a formula', () => {
  const [header = [], cells = []] = readCsv(csvHeader + csvRow(row));
  assert.deepEqual(
    header,
    exportColumns.map(({ name }) => name),
  );
  const value = (name: string): string | undefined => cells[header.indexOf(name)];
  assert.equal(cells.length, header.length);
  assert.equal(value('mail_hosts'), "'=cmd.example.net mx.example.net");
  assert.equal(value('verdict'), grade.verdict);
  assert.equal(
    value('exposure_mta_sts_cached_strip_starttls'),
    grade.exposure.mtaStsCached.stripStarttls,
  );
  for (const start of ['=', '+', '-', '@', '\t=', '\r'])
    assert.doesNotMatch(csvRow({ ...row, domain: `${start}1+1` }), /(^|,)[=+\-@\t\r]/);
});

test('a JSON line satisfies its schema, with optional fields or without', () => {
  for (const one of [row, { ...grade, domain: 'example.org' }])
    scanResultSchema.parse(JSON.parse(jsonLine(one)));
  assert.throws(() => scanResultSchema.parse({ ...JSON.parse(jsonLine(row)), verdict: 'good' }));
});

test('Parquet holds the values of CSV, in groups of bounded size', async () => {
  const rows = Array.from({ length: 250 }, (_, index): ScanResultRow => ({
    ...(index % 3 === 0
      ? gradeWith(grade, { verdict: 'fail', measures: { mtaSts: 'enforce' } })
      : grade),
    domain: `d${index}.example`,
    rank: index % 2 === 0 ? index + 1 : undefined,
  }));
  const pieces: Uint8Array[] = [];
  for await (const piece of parquetChunks(rows, 100)) pieces.push(piece);
  const file = Buffer.concat(pieces);
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  assert.deepEqual(
    parquetMetadata(buffer).row_groups.map(({ num_rows }) => Number(num_rows)),
    [100, 100, 50],
  );
  const read = await parquetReadObjects({ file: buffer });
  const [, ...cells] = readCsv(csvHeader + rows.map(csvRow).join(''));
  for (const [index, object] of read.entries())
    assert.deepEqual(
      Object.values(object).map((value) => String(value ?? '')),
      cells[index],
    );
  assert.equal(read.filter((object) => object['mta_sts'] === 'enforce').length, 84);
});

test('an export without rows is a valid file', async () => {
  const pieces: Uint8Array[] = [];
  for await (const piece of parquetChunks([])) pieces.push(piece);
  const file = Buffer.concat(pieces);
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
  assert.equal(Number(parquetMetadata(buffer).num_rows), 0);
});

test('the data dictionary describes every column once', () => {
  const names = [...dataDictionary().matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(
    names,
    exportColumns.map(({ name }) => name),
  );
  assert.equal(new Set(names).size, names.length);
});
