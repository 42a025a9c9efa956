import type { Command } from 'commander';
import { grade, profileNames, renderTerminal } from '../../check/index.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import type { CommandContext } from '../output.js';
import { repeatedOptions } from '../repeat-options.js';
import { profileNamed, readEvidence } from './check-options.js';
import { chosenTrustStore, type TrustFlags } from './resolver-options.js';
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
interface GradeFlags extends ReportFlags, TrustFlags {
  readonly profile: string;
  /** Whether to validate the chains again with the Mozilla roots of this version. */
  readonly builtinCa?: boolean;
  readonly steps?: boolean;
}

/**
 * Defines `hermetic grade`, which grades saved evidence again, offline.
 *
 * Network: none. Evidence contains every observation of a check, so another profile, a
 * newer version of the rules or another output format needs no second check of the
 * servers. With an option for roots, the command also validates the saved chains again,
 * for the time of the check. Standard output, files and exit status are those of
 * `hermetic check`.
 */
export function defineGrade(command: Command, context: CommandContext): void {
  const { output } = context;
  command
    .argument('<file...>', 'evidence from hermetic check --evidence; - is standard input')
    .optionsGroup('What to grade:')
    .option('--profile <name>', `grade by ${profileNames.join(', ')}, or a .json file`, 'baseline')
    .optionsGroup('Judge the saved chains again:')
    .option('--builtin-ca', 'use the roots of this version of Hermetic')
    .option('--system-ca', 'use the roots of the system')
    .option('--ca <file>', 'add these root certificates (PEM)');
  withReports(command)
    .option('--steps', 'print every step of every finding')
    .action((files: string[], gradeFlags: GradeFlags) =>
      context.finish(run(files, gradeFlags, context)),
    );
  addHelpPage(command, output, {
    exitStatus: [
      [exitCodes.good, 'pass or warn'],
      [exitCodes.fail, 'fail (with --fail-on warn: warn too)'],
      [exitCodes.usage, 'usage error, or an unreadable file'],
      [exitCodes.inconclusive, 'could not tell'],
    ],
    examples: [
      'hermetic check example.com --evidence seen.json && hermetic grade seen.json',
      'hermetic grade seen.json --html report.html',
      'hermetic grade seen.json --system-ca',
    ],
  });
}

/**
 * Grades every file, prints and writes the reports, and returns the exit status. A file
 * that cannot be used ends the command before anything is printed.
 */
function run(files: readonly string[], gradeFlags: GradeFlags, { output }: CommandContext): number {
  const { failOn, streamTaken } = planOutput(gradeFlags);
  const profile = profileNamed(gradeFlags.profile);
  const options = repeatedOptions({ profile: gradeFlags.profile });
  const { ca, systemCa, builtinCa } = gradeFlags;
  const trustStore =
    ca !== undefined || systemCa || builtinCa ? chosenTrustStore({ ca, systemCa }) : undefined;
  const results = files.map((filePath) =>
    grade(readEvidence(filePath), profile, { options, trustStore }),
  );
  const { width, color } = output;
  const terminal = { width, color, steps: gradeFlags.steps ?? false };
  if (gradeFlags.nagios) for (const checkResult of results) printNagios(checkResult, output);
  else if (gradeFlags.json)
    for (const checkResult of results) printJson(checkResult, files.length === 1, output);
  else if (!gradeFlags.quiet && !streamTaken)
    output.out(results.map((checkResult) => renderTerminal(checkResult, terminal)).join('\n'));
  writeReports(gradeFlags, results, output);
  return exitCodeOfAll(results, gradeFlags, failOn);
}
