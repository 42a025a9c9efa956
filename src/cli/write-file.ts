import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describeSystemError, HermeticError } from '../base/index.js';

/**
 * Writes a file the person named, whole or not at all: what was there before stays until
 * the new one is complete. Throws HermeticError with what to do.
 */
export function writeFile(path: string, text: string, what: string): void {
  let part: string | undefined;
  try {
    // Pipes, devices and the targets of links are written where they are.
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) part = `${path}.${process.pid}.part`;
    writeFileSync(part ?? path, text);
    if (part !== undefined) renameSync(part, path);
  } catch (error) {
    if (part !== undefined) rmSync(part, { force: true });
    const { says, fix } = describeSystemError(error);
    throw new HermeticError('file-unwritable', `${what} ${path}: ${says}`, { cause: error, fix });
  }
}
