import { writeFileSync } from 'node:fs';
import { HermeticError } from '../base/index.js';

/** Writes a file the person named. Throws HermeticError with what to do. */
export function writeFile(path: string, text: string, what: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'cannot be written';
    throw new HermeticError('file-unwritable', `${what} ${path}: ${why}`, { cause: error, fix: 'Check the path and its permissions.' });
  }
}
