import type { Command } from 'commander';
import { renderHtml, renderJunit, renderNagios, renderSarif } from '../../check/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { exitCodeOf, worstExitCode } from '../exit-codes.js';
import { assertWritable, STANDARD_STREAM, writeFile } from '../files.js';
import { misuse, readWord } from '../options.js';
import { formatJson, type Output } from '../output.js';
import { renderCsv } from '../render-csv.js';

/**
 * Flags of every command that grades.
 *
 * `html`, `csv`, `junit` and `sarif` are output files; `-` is standard output.
 */
export interface ReportFlags {
  readonly html?: string;
  readonly junit?: string;
  readonly sarif?: string;
  readonly csv?: string;
  readonly json?: boolean;
  readonly nagios?: boolean;
  readonly quiet?: boolean;
  readonly failOn: string;
}

/** Adds the options of output to a command, in a separate group. */
export function withReports(command: Command): Command {
  return command
    .optionsGroup('Output (- as FILE is standard output):')
    .option('--json', 'print JSON: one object, or one per line for several domains')
    .option('--nagios', 'print one line, and exit as a monitoring plugin does')
    .option('-q, --quiet', 'print only errors; the exit status gives the result')
    .option('--html <file>', 'write a report as one HTML file without scripts')
    .option('--csv <file>', 'write a table with a row for each domain')
    .option('--junit <file>', 'write JUnit XML, for CI servers')
    .option('--sarif <file>', 'write SARIF 2.1.0, for code scanning')
    .option('--fail-on <severity>', 'exit with 1 from this verdict on: warn or fail', 'fail');
}

/** An output file, and the option that names it. */
export interface OutputFile {
  readonly option: string;
  readonly path: string | undefined;
}

/** The streams and files that a command writes. */
export interface OutputPlan {
  /**
   * The command writes one of its own files to standard output, so it prints no report
   * there.
   */
  readonly streamTaken: boolean;
  readonly failOn: 'warn' | 'fail';
}

/**
 * Tests every output path, and selects the output that uses standard output. Called
 * before the first packet. Throws HermeticError. `more`: output files of the command
 * other than reports.
 *
 * A program cannot separate two outputs on one stream, so a second output there is a
 * usage error.
 */
export function planOutput(reportFlags: ReportFlags, more: readonly OutputFile[] = []): OutputPlan {
  const failOn = readWord('--fail-on', reportFlags.failOn, ['warn', 'fail']);
  const outputFiles = [...reportFiles(reportFlags), ...more].filter(
    ({ path }) => path !== undefined,
  );
  const streams = outputFiles
    .filter(({ path }) => path === STANDARD_STREAM)
    .map(({ option }) => option);
  if (reportFlags.json) streams.push('--json');
  if (reportFlags.nagios) streams.push('--nagios');
  if (streams.length > 1)
    throw misuse(
      streams.slice(0, 2).join(' and '),
      'both write to standard output',
      'Use a file for one of them.',
    );
  for (const { option, path = '' } of outputFiles) assertWritable(path, option);
  return { failOn, streamTaken: outputFiles.some(({ path }) => path === STANDARD_STREAM) };
}

/** Returns the report options with their files. */
function reportFiles({ html, csv, junit, sarif }: ReportFlags): readonly OutputFile[] {
  return [
    { option: '--html', path: html },
    { option: '--csv', path: csv },
    { option: '--junit', path: junit },
    { option: '--sarif', path: sarif },
  ];
}

/** Writes the reports that the flags name, each with all domains. */
export function writeReports(
  reportFlags: ReportFlags,
  results: readonly CheckResult[],
  output: Output,
): void {
  const failOn = readWord('--fail-on', reportFlags.failOn, ['warn', 'fail']);
  const render: Readonly<Record<string, () => string>> = {
    '--html': () => renderHtml(results),
    '--csv': () => renderCsv(results),
    '--junit': () => renderJunit(results, { failOn }),
    '--sarif': () => renderSarif(results),
  };
  for (const { option, path } of reportFiles(reportFlags))
    if (path !== undefined) writeOutput({ option, path }, render[option]?.() ?? '', output);
}

/** Writes an output file, or standard output for `-`. */
export function writeOutput(
  { option, path = '' }: OutputFile,
  outputText: string,
  output: Output,
): void {
  if (path === STANDARD_STREAM) output.out(outputText);
  else writeFile(path, outputText, option);
}

/** Prints a result as one line of a monitoring plugin and returns its exit status. */
export function printNagios(checkResult: CheckResult, output: Output): number {
  const { line, status } = renderNagios(checkResult);
  output.out(`${line}\n`);
  return status;
}

/** Prints a result as JSON: indented if it is the only one, else on one line. */
export function printJson(checkResult: CheckResult, isOnly: boolean, output: Output): void {
  output.out(`${formatJson(checkResult, isOnly ? 2 : undefined)}\n`);
}

/**
 * Returns the exit status of graded results; with `--nagios` the status of the worst
 * line.
 *
 * `failOn`: the least severe verdict that counts as a failure.
 */
export function exitCodeOfAll(
  results: readonly CheckResult[],
  { nagios }: ReportFlags,
  failOn: 'warn' | 'fail',
): number {
  if (nagios) return Math.max(...results.map((checkResult) => renderNagios(checkResult).status));
  return worstExitCode(results.map((checkResult) => exitCodeOf(checkResult, failOn)));
}
