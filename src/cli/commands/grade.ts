import type { Command } from 'commander';
import { grade, profileNames, renderTerminal } from '../../check/index.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import type { CommandContext } from '../output.js';
import { repeatedOptions } from '../repeat-options.js';
import { profileNamed, readEvidence } from './check-options.js';
import {
  exitCodeOfAll,
  planOutput,
  printJson,
  printNagios,
  withReports,
  writeReports,
  type ReportFlags,
} from './report-options.js';

/** The options of `hermetic grade`. */
interface GradeFlags extends ReportFlags {
  readonly profile: string;
  readonly steps?: boolean;
}

/**
 * `hermetic grade`: grades saved evidence again, offline.
 *
 * Network: none. Evidence holds every observation of a check, so another profile, a newer
 * version of the rules or another output format needs no second check of the servers.
 * Standard output, files and exit status are those of `hermetic check`.
 */
export function defineGrade(command: Command, context: CommandContext): void {
  const { output } = context;
  command
    .argument('<file...>', 'evidence from hermetic check --evidence; - is standard input')
    .optionsGroup('What to grade:')
    .option('--profile <name>', `grade by ${profileNames.join(', ')}, or a .json file`, 'baseline');
  withReports(command)
    .option('--steps', 'print every step of every finding')
    .action((files: string[], flags: GradeFlags) => context.finish(run(files, flags, context)));
  addHelpPage(command, output, {
    exitStatus: [
      [exitCodes.good, 'pass or warn'],
      [exitCodes.fail, 'fail (with --fail-on warn: warn too)'],
      [exitCodes.usage, 'a file cannot be used'],
      [exitCodes.inconclusive, 'inconclusive'],
    ],
    examples: [
      'hermetic check example.com --evidence seen.json && hermetic grade seen.json',
      'hermetic grade seen.json --html report.html',
    ],
  });
}

/**
 * Grades every file, prints and writes the reports, and returns the exit status. A file
 * that cannot be used ends the command before anything is printed.
 */
function run(files: readonly string[], flags: GradeFlags, { output }: CommandContext): number {
  const { failOn, streamTaken } = planOutput(flags);
  const profile = profileNamed(flags.profile);
  const options = repeatedOptions({ profile: flags.profile });
  const results = files.map((file) => grade(readEvidence(file), profile, { options }));
  const { width, color } = output;
  const terminal = { width, color, steps: flags.steps ?? false };
  if (flags.nagios) for (const result of results) printNagios(result, output);
  else if (flags.json) for (const result of results) printJson(result, files.length === 1, output);
  else if (!flags.quiet && !streamTaken)
    output.out(results.map((result) => renderTerminal(result, terminal)).join('\n'));
  writeReports(flags, results, output);
  return exitCodeOfAll(results, flags, failOn);
}
