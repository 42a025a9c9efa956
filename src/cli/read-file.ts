import { readFileSync, statSync } from 'node:fs';
import { HermeticError } from '../base/index.js';

const limit = 64 * 1024 * 1024;

/** A file the person named. Throws HermeticError with what to do. */
export function readFile(path: string, what: string): string {
  try {
    if (statSync(path).size > limit)
      throw new HermeticError('file-too-large', `${what} ${path}: larger than 64 MB`, { fix: 'Give another file.' });
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof HermeticError) throw error;
    const why = (error as NodeJS.ErrnoException).code ?? 'cannot be read';
    throw new HermeticError('file-unreadable', `${what} ${path}: ${why}`, { cause: error, fix: 'Check the path and its permissions.' });
  }
}
