import { Command } from 'commander';
import { grade, renderTerminal } from '../../check/index.js';
import { exitCodeOf } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readEvidence } from '../read-evidence.js';
import { profileNamed } from './check-options.js';
import { withReports, writeReports, type ReportFlags } from './report-options.js';

/** `hermetic grade`: stored evidence judged again, without the network. */
export function gradeCommand(output: Output, finish: (code: number) => void): Command {
  return withReports(new Command('grade').description('grade stored evidence again, without the network'))
    .argument('<file>', 'written by hermetic check --evidence')
    .option('--profile <name>', 'what to grade by', 'baseline')
    .option('--json', 'the result as JSON')
    .option('--steps', 'every step of every finding')
    .addHelpText('after', '\nExample:\n  hermetic check example.com --evidence seen.json && hermetic grade seen.json')
    .action((file: string, flags: ReportFlags & { profile: string; json?: boolean; steps?: boolean }) => {
      const result = grade(readEvidence(file), profileNamed(flags.profile));
      output.out(
        flags.json
          ? `${JSON.stringify(result, null, 2)}\n`
          : renderTerminal(result, { width: output.width, color: output.color, ...(flags.steps ? { steps: true } : {}) }),
      );
      writeReports(flags, [result]);
      finish(exitCodeOf(result));
    });
}
