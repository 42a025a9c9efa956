import { readFileSync, statSync } from 'node:fs';
import { describeSystemError, HermeticError } from '../base/index.js';

const limit = 64 * 1024 * 1024;

/** A file the person named. Throws HermeticError with what to do. */
export function readFile(path: string, what: string): string {
  try {
    if (statSync(path).size > limit)
      throw new HermeticError('file-too-large', `${what} ${path}: larger than 64 MB`, {
        fix: 'Give another file.',
      });
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof HermeticError) throw error;
    const { says, fix } = describeSystemError(error);
    throw new HermeticError('file-unreadable', `${what} ${path}: ${says}`, { cause: error, fix });
  }
}
