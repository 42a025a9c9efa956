import { HermeticError } from '../base/index.js';
import { evidenceSchema, type Evidence } from '../evidence/index.js';
import { readFile } from './read-file.js';

/** Evidence from a file; throws with the first thing in it that does not fit. */
export function readEvidence(file: string): Evidence {
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
