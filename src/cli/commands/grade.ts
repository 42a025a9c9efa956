import { Command } from 'commander';
import { HermeticError } from '../../base/index.js';
import { grade, renderTerminal } from '../../check/index.js';
import { evidenceSchema, type Evidence } from '../../evidence/index.js';
import { exitCodeOf } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readFile } from '../read-file.js';
import { profileNamed } from './check-options.js';

/** `hermetic grade`: stored evidence judged again, without the network. */
export function gradeCommand(output: Output, finish: (code: number) => void): Command {
  return new Command('grade')
    .description('grade stored evidence again, without the network')
    .argument('<file>', 'written by hermetic check --evidence')
    .option('--profile <name>', 'what to grade by', 'baseline')
    .option('--json', 'the result as JSON')
    .option('--steps', 'every step of every finding')
    .addHelpText('after', '\nExample:\n  hermetic check example.com --evidence seen.json && hermetic grade seen.json')
    .action((file: string, flags: { profile: string; json?: boolean; steps?: boolean }) => {
      const result = grade(readEvidence(file), profileNamed(flags.profile));
      output.out(
        flags.json
          ? `${JSON.stringify(result, null, 2)}\n`
          : renderTerminal(result, { width: output.width, color: output.color, ...(flags.steps ? { steps: true } : {}) }),
      );
      finish(exitCodeOf(result));
    });
}

function readEvidence(file: string): Evidence {
  const text = readFile(file, 'evidence');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HermeticError('evidence-invalid', `${file}: not JSON`, { cause, fix: 'Give a file written by hermetic check --evidence.' });
  }
  const parsed = evidenceSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new HermeticError('evidence-invalid', `${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(), {
    fix: 'Give a file written by hermetic check --evidence.',
  });
}
