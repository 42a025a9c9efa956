import type { Command } from 'commander';
import { renderHtml, renderJunit, renderSarif } from '../../check/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { writeFile } from '../write-file.js';
import { misuse } from './resolver-options.js';

/** Flags of every command that comes to results. */
export interface ReportFlags {
  readonly html?: string;
  readonly junit?: string;
  readonly sarif?: string;
  readonly failOn: string;
}

/** Adds them to a command. */
export function withReports(command: Command): Command {
  return command
    .option(
      '--html <file>',
      'write a report to read, print and pass on: one file that loads nothing',
    )
    .option('--junit <file>', 'write JUnit XML, for CI servers')
    .option('--sarif <file>', 'write SARIF 2.1.0, for code scanning')
    .option(
      '--fail-on <severity>',
      'warn or fail: from which verdict on the exit status is 1',
      'fail',
    );
}

/** Writes the files that were asked for: all domains in one. */
export function writeReports(flags: ReportFlags, results: readonly CheckResult[]): void {
  const failOn = failOnOf(flags);
  if (flags.html !== undefined) writeFile(flags.html, renderHtml(results), '--html');
  if (flags.junit !== undefined)
    writeFile(flags.junit, renderJunit(results, { failOn }), '--junit');
  if (flags.sarif !== undefined) writeFile(flags.sarif, renderSarif(results), '--sarif');
}

/** What `--fail-on` says. Throws HermeticError for anything else. */
export function failOnOf({ failOn }: ReportFlags): 'warn' | 'fail' {
  if (failOn === 'warn' || failOn === 'fail') return failOn;
  throw misuse('--fail-on', `${failOn} is not known`, 'Write warn or fail.');
}
