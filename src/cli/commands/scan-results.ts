import type { Command } from 'commander';
import { countOf, neutralise } from '../../base/index.js';
import { nameOf, renderTerminal } from '../../check/index.js';
import {
  csvHeader,
  csvRow,
  explainDomain,
  exportScan,
  FactStore,
  jsonLine,
  liveWork,
  parquetChunks,
  resultRow,
  scanChanges,
  scanNumbered,
  type ExplainedDomain,
  type ExportedDomain,
  type ScanResultRow,
} from '../../scan/index.js';
import { assertWritable, STANDARD_STREAM } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse, readWord } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { withDatabase, withScanDatabase, type ScanDatabaseFlags } from '../scan/scan-database.js';
import { writeStream } from '../scan/write-stream.js';

interface ExportFlags extends ScanDatabaseFlags {
  readonly format: string;
  readonly out: string;
}

/**
 * Defines `hermetic scan export`, which prints the result of every domain, one row each,
 * by rank.
 */
export function defineScanExport(command: Command, { output }: CommandContext): void {
  command
    .description('write the result of every domain of a scan')
    .argument('<scan>', 'number of the scan')
    .option('--format <format>', 'jsonl, csv or parquet', 'jsonl')
    .option('--out <file>', 'write to this file; - is standard output', STANDARD_STREAM);
  withScanDatabase(command).action((scan: string, flags: ExportFlags) => {
    const id = readScan(scan);
    const format = readWord('--format', flags.format, ['jsonl', 'csv', 'parquet']);
    if (format === 'parquet' && flags.out === STANDARD_STREAM)
      throw misuse('--format', 'parquet needs --out', 'Name a file with --out.');
    if (flags.out !== STANDARD_STREAM) assertWritable(flags.out, '--out');
    return withDatabase(flags, async (database) => {
      await scanNumbered(database, id);
      const rows = rowsOf(exportScan(database, id));
      await writeStream(formats[format](rows), flags.out, output);
    });
  });
  addHelpPage(command, output, {
    note: 'docs/scan-data.md describes every column. The rows of a finished scan do not change.',
    examples: ['hermetic scan export 1 --local scans --format csv --out scan.csv'],
  });
}

async function* rowsOf(exported: AsyncIterable<ExportedDomain>): AsyncGenerator<ScanResultRow> {
  for await (const domain of exported) yield resultRow(domain);
}

async function* csvRows(rows: AsyncIterable<ScanResultRow>): AsyncGenerator<string> {
  yield csvHeader;
  for await (const row of rows) yield csvRow(row);
}

async function* jsonRows(rows: AsyncIterable<ScanResultRow>): AsyncGenerator<string> {
  for await (const row of rows) yield jsonLine(row);
}

/** The formats of the export; Parquet is not text. */
const formats = { jsonl: jsonRows, csv: csvRows, parquet: parquetChunks } as const;

/** Defines `hermetic scan diff`, which prints the changes that later scans found. */
export function defineScanDiff(command: Command, { output }: CommandContext): void {
  command
    .description('print the changes between two scans, one line each')
    .argument('<older>', 'number of the older scan')
    .argument('<newer>', 'number of the newer scan');
  withScanDatabase(command)
    .option('--json', 'print each change as one line of JSON')
    .action((older: string, newer: string, flags: ScanDatabaseFlags & { json?: boolean }) =>
      withDatabase(flags, async (database) => {
        const [from, to] = [readScan(older), readScan(newer)];
        if (from >= to)
          throw misuse('scan diff', 'the older scan comes first', 'Swap the two numbers.');
        await scanNumbered(database, to);
        for await (const change of scanChanges(database, from, to)) {
          if (output.gone) break;
          const { domain, kind, was, is } = change;
          const text = `${domain}  ${kind}  ${valueText(was)} -> ${valueText(is)}`;
          output.out(`${flags.json ? formatJson(change) : neutralise(text, 2000)}\n`);
        }
      }),
    );
  addHelpPage(command, output, { examples: ['hermetic scan diff 1 2 --local scans'] });
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(' ');
  return typeof value === 'string' && value !== '' ? value : '(none)';
}

/**
 * Defines `hermetic scan why`, which prints the rows that led to the grade of a domain.
 */
export function defineScanWhy(command: Command, { output }: CommandContext): void {
  command
    .description('show the facts that led to the verdict on a domain')
    .argument('<domain>', 'domain of a scanned list');
  withScanDatabase(command)
    .option('--json', 'print one JSON object')
    .action((domainName: string, flags: ScanDatabaseFlags & { readonly json?: boolean }) =>
      withDatabase(flags, async (database) => {
        const facts = new FactStore(database);
        const name = nameOf(domainName).toLower();
        const explained = await explainDomain({ database, facts }, name);
        if (flags.json) output.out(`${formatJson(explained, 2)}\n`);
        else printWhy(explained, output);
      }),
    );
  addHelpPage(command, output, {
    note: 'Opens no connection. Certificates are judged at the date of the last scan.',
    examples: ['hermetic scan why example.com --local scans'],
  });
}

function printWhy(explained: ExplainedDomain, output: Output): void {
  const { domain, seenAt, changedAt, facts, addresses, scans } = explained;
  const lines = [
    `${domain}   looked up ${day(seenAt)}   changed ${day(changedAt)}`,
    ...addresses.map(
      ({ host, address, visitedAt, inferredFrom, required, spent, restReason }) =>
        `  ${host} [${address}]   ${visitText(visitedAt, inferredFrom)}   ` +
        `${countOf(spent, 'connection')} today` +
        `${required ? '   always visited' : ''}${restReason ? `   rests: ${restReason}` : ''}`,
    ),
    ...scans.map(
      ({ scan, startedAt, grade }) =>
        `  scan ${scan}   ${day(startedAt)}   ${grade?.verdict ?? 'not graded yet'}`,
    ),
  ];
  output.out(`${lines.map((line) => neutralise(line, 1000)).join('\n')}\n`);
  const isGraded = scans.some(({ grade }) => grade !== null);
  if (!facts || !isGraded) return;
  const { width, color } = output;
  output.out(`\n${renderTerminal(liveWork({}).describeDomain(facts), { width, color })}`);
}

function visitText(visitedAt: Date | null, inferredFrom: string | null): string {
  if (inferredFrom === null) return `visited ${day(visitedAt)}`;
  return `not visited: inferred ${day(visitedAt)} from ${inferredFrom}`;
}

function day(date: Date | null): string {
  return date === null ? 'never' : `${date.toISOString().slice(0, 16)}Z`;
}

/** Reads the number of a scan. */
export function readScan(text: string): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw misuse('scan', `${text} is not the number of a scan`, 'Run hermetic scan list.');
}
