import type { Command } from 'commander';
import { HermeticError } from '../../base/index.js';
import { compareResults, grade, renderChanges, type Profile } from '../../check/index.js';
import { checkResultSchema, evidenceSchema, type CheckResult } from '../../evidence/index.js';
import { exitCodes } from '../exit-codes.js';
import { readJson } from '../files.js';
import { addHelpPage } from '../help.js';
import { formatJson, type CommandContext } from '../output.js';
import { profileNamed } from './check-options.js';

/** The options of `hermetic diff`. */
interface DiffFlags {
  readonly profile: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/**
 * Defines `hermetic diff`, which shows the changes between two checks.
 *
 * Offline. Reads two files of the same domain, each with evidence or a result. The
 * command first grades evidence with the profile of `--profile`, so that a change of the
 * rules does not look like a change of the domain. Standard output: the changes, or JSON.
 * Standard error: a note when two results were graded with different profiles.
 *
 * Exit status: 1 when something became worse, 3 when something can no longer be
 * determined, else 0. A fact that became unknown is neither better nor worse.
 */
export function defineDiff(command: Command, context: CommandContext): void {
  command
    .argument('<old>', 'from hermetic check --evidence or --json; - is standard input')
    .argument('<new>', 'a later file about the same domain')
    .option('--profile <name>', 'grade evidence with this profile', 'baseline')
    .option('--json', 'print the changes as JSON')
    .option('-q, --quiet', 'print only errors; the exit status gives the result')
    .action((older: string, newer: string, diffFlags: DiffFlags) =>
      context.finish(compare([older, newer], diffFlags, context)),
    );
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'nothing became worse'],
      [exitCodes.fail, 'a fact became worse'],
      [exitCodes.usage, 'usage error, or an unreadable file'],
      [exitCodes.inconclusive, 'a fact can no longer be determined'],
    ],
    examples: ['hermetic check example.com --evidence new.json && hermetic diff old.json new.json'],
  });
}

/**
 * Compares two files, prints the changes and returns the exit status. Throws
 * HermeticError `diff-domains` for files of two different domains.
 */
function compare(
  [older, newer]: readonly [older: string, newer: string],
  diffFlags: DiffFlags,
  { output }: CommandContext,
): number {
  const profile = profileNamed(diffFlags.profile);
  const [before, after] = [readResult(older, profile), readResult(newer, profile)];
  if (before.domain !== after.domain)
    throw new HermeticError(
      'diff-domains',
      `${older} is about ${before.domain}, ${newer} about ${after.domain}`,
      { fix: 'Use two files about the same domain.' },
    );
  const comparison = compareResults(before, after);
  if (diffFlags.json) output.out(`${formatJson(comparison, 2)}\n`);
  else if (!diffFlags.quiet) output.out(renderChanges(comparison, output.width));
  if (before.profile !== after.profile)
    output.err(
      `hermetic: graded with different profiles: ${before.profile} and ${after.profile} (diff-profiles)\n`,
    );
  const directions = new Set<string>(comparison.changes.map(({ direction }) => direction));
  if (directions.has('worse')) return exitCodes.fail;
  if (directions.has('unclear')) return exitCodes.inconclusive;
  return exitCodes.good;
}

/** Reads a result, or grades evidence. */
function readResult(filePath: string, profile: Profile): CheckResult {
  const value = readJson(filePath, {
    what: 'result',
    code: 'result-invalid',
    kinds: [
      { id: 'hermetic.check/1', schema: checkResultSchema },
      { id: 'hermetic.evidence/1', schema: evidenceSchema },
    ],
  });
  if (value.schema === 'hermetic.check/1') return value;
  return grade(value, profile);
}
