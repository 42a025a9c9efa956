import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describeSystemError, fixUnwritable, HermeticError } from '../base/index.js';

const { W_OK, X_OK } = constants;

/**
 * Throws `publish-write-failed` if a folder cannot be written or created. Jobs call it to
 * check their configuration.
 */
export function writableFolder(folder: string): void {
  let ancestor = resolve(folder);
  while (!existsSync(ancestor) && dirname(ancestor) !== ancestor) ancestor = dirname(ancestor);
  try {
    accessSync(ancestor, W_OK | X_OK);
  } catch (error) {
    throw unwritable('publish-write-failed', ancestor, error);
  }
}

/** Returns the error for a path that this user cannot write. */
export function unwritable(code: string, path: string, cause: unknown): HermeticError {
  return new HermeticError(code, `${path}: ${describeSystemError(cause).message}`, {
    cause,
    fix: fixUnwritable(cause) ?? 'Permit the user of the daemon to write to the folder.',
  });
}
