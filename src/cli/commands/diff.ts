import { Command } from 'commander';
import { HermeticError } from '../../base/index.js';
import { compareResults, grade, renderChanges, type Profile } from '../../check/index.js';
import { checkResultSchema, evidenceSchema, type CheckResult } from '../../evidence/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readJson } from '../read-json.js';
import { formatJson } from '../format-json.js';
import { profileNamed } from './check-options.js';

/** `hermetic diff`: what changed for the better and for the worse between two checks. */
export function diffCommand(output: Output, finish: (code: number) => void): Command {
  return new Command('diff')
    .description('say what changed between two checks of a domain')
    .argument('<old>', 'written by hermetic check --evidence or --json')
    .argument('<new>', 'the same, later')
    .option('--profile <name>', 'what evidence is graded by', 'baseline')
    .option('--json', 'the changes as JSON')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing is worse, 1 something is, 3 something can no longer be\ntold.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  hermetic check example.com --evidence new.json && hermetic diff old.json new.json',
    )
    .action((older: string, newer: string, flags: { profile: string; json?: boolean }) => {
      const profile = profileNamed(flags.profile);
      const [before, after] = [readResult(older, profile), readResult(newer, profile)];
      if (before.domain !== after.domain)
        throw new HermeticError(
          'diff-domains',
          `${older} is about ${before.domain}, ${newer} about ${after.domain}`,
          {
            fix: 'Give two files of the same domain.',
          },
        );
      const comparison = compareResults(before, after);
      output.out(
        flags.json ? `${formatJson(comparison, 2)}\n` : renderChanges(comparison, output.width),
      );
      if (before.profile !== after.profile)
        output.err(
          `hermetic: graded by different profiles: ${before.profile} and ${after.profile} (diff-profiles)\n`,
        );
      const has = (direction: string): boolean =>
        comparison.changes.some((c) => c.direction === direction);
      finish(
        has('worse') ? exitCodes.fail : has('unclear') ? exitCodes.inconclusive : exitCodes.good,
      );
    });
}

/** A result as it stands, or evidence graded now. */
function readResult(file: string, profile: Profile): CheckResult {
  const fix = 'Give files written by hermetic check --evidence or --json.';
  const value = readJson(file, 'result', fix, [checkResultSchema, evidenceSchema]);
  return value.schema === 'hermetic.check/1' ? value : grade(value, profile);
}
