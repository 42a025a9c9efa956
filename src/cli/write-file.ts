import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describeSystemError, HermeticError } from '../base/index.js';

/** Writes a file the person named, whole or not at all: what was there before stays until the new one is complete. Throws HermeticError with what to do. */
export function writeFile(path: string, text: string, what: string): void {
  const replaces = lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  // Pipes, devices and the targets of links are written where they are.
  const written = replaces ? `${path}.${process.pid}.part` : path;
  try {
    writeFileSync(written, text);
    if (replaces) renameSync(written, path);
  } catch (error) {
    if (replaces) rmSync(written, { force: true });
    const { says, fix } = describeSystemError(error);
    throw new HermeticError('file-unwritable', `${what} ${path}: ${says}`, { cause: error, fix });
  }
}
