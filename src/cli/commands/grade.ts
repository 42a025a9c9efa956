import { Command } from 'commander';
import { grade, renderTerminal } from '../../check/index.js';
import { exitCodeOf, worstExitCode } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readEvidence } from '../read-evidence.js';
import { formatJson } from '../format-json.js';
import { profileNamed } from './check-options.js';
import { failOnOf, withReports, writeReports, type ReportFlags } from './report-options.js';

interface GradeFlags extends ReportFlags {
  readonly profile: string;
  readonly json?: boolean;
  readonly steps?: boolean;
}

/** `hermetic grade`: stored evidence judged again, without the network. */
export function gradeCommand(output: Output, finish: (code: number) => void): Command {
  return withReports(
    new Command('grade').description('grade stored evidence again, without the network'),
  )
    .argument('<file...>', 'written by hermetic check --evidence')
    .option('--profile <name>', 'what to grade by: a name, or a file', 'baseline')
    .option('--json', 'the result as JSON: one object, or one a line for several files')
    .option('--steps', 'every step of every finding')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic check example.com --evidence seen.json && hermetic grade seen.json',
    )
    .action((files: string[], flags: GradeFlags) => {
      const failOn = failOnOf(flags);
      const results = files.map((file) => grade(readEvidence(file), profileNamed(flags.profile)));
      const terminal = {
        width: output.width,
        color: output.color,
        ...(flags.steps ? { steps: true } : {}),
      };
      if (flags.json)
        for (const result of results)
          output.out(`${formatJson(result, files.length > 1 ? undefined : 2)}\n`);
      else output.out(results.map((result) => renderTerminal(result, terminal)).join('\n'));
      writeReports(flags, results);
      finish(worstExitCode(results.map((result) => exitCodeOf(result, failOn))));
    });
}
