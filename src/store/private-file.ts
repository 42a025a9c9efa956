import { chmodSync, closeSync, openSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describeSystemError, fixUnwritable, HermeticError } from '../base/index.js';
import { storeError } from './failures.js';

/**
 * A file of the database that users other than its owner can open, and whose mode could
 * not be changed.
 */
export interface ExposedFile {
  readonly file: string;
  /** Permission bits in octal, such as `644`. */
  readonly mode: string;
}

/**
 * SQLite gives the log and the shared memory the mode of the database; files that already
 * exist keep their mode.
 */
const COMPANIONS = ['-wal', '-shm', '-journal'];

/** The smallest page of a database (https://sqlite.org/fileformat.html, section 1.3.2). */
const MIN_OCTETS = 512;

/**
 * Returns the path of the database file, with symbolic links resolved if the file does
 * not exist yet. Creates a missing file for its owner alone [8460-8-1].
 *
 * POSIX drops every fcntl lock of a process on a file when the process closes any
 * descriptor of it (https://sqlite.org/howtocorrupt.html, section 2.2). Therefore only
 * SQLite opens an existing file, never this function. The exclusive open succeeds only
 * for a file that no process can have locked yet.
 */
export function createPrivate(filePath: string, mustExist: boolean): string {
  try {
    const found = statSync(filePath);
    if (!found.isFile())
      throw storeError('store-unwritable', `${filePath}: it is not a regular file`);
    // SQLite treats such a file as empty, and overwrites it.
    if (found.size > 0 && found.size < MIN_OCTETS) throw storeError('store-corrupt', filePath);
    return filePath;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw unwritable(filePath, error);
    if (mustExist) throw storeError('store-absent', filePath, error);
  }
  try {
    closeSync(openSync(filePath, 'wx', 0o600));
    return filePath;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(filePath, error);
  }
  // Another process created the file meanwhile, or a symbolic link points to a file that
  // does not exist yet.
  const target = linkTarget(filePath);
  if (target === undefined) return filePath;
  return createPrivate(target, mustExist);
}

/**
 * Removes the permissions of other users from a database, its log and its shared memory.
 * Returns the files whose mode cannot be changed. Must be called only after SQLite has
 * recognised the file: the path may lead to a file of another program, which needs its
 * permissions.
 */
export function makePrivate(target: string): readonly ExposedFile[] {
  return [target, ...COMPANIONS.map((suffix) => `${target}${suffix}`)].flatMap(restrict);
}

function linkTarget(filePath: string): string | undefined {
  try {
    return resolve(dirname(filePath), readlinkSync(filePath));
  } catch {
    return undefined;
  }
}

function restrict(filePath: string): readonly ExposedFile[] {
  let stats: Stats;
  try {
    stats = statSync(filePath);
  } catch {
    return [];
  }
  if ((stats.mode & 0o077) === 0) return [];
  try {
    chmodSync(filePath, stats.mode & 0o700);
    return [];
  } catch {
    return [{ file: filePath, mode: (stats.mode & 0o777).toString(8) }];
  }
}

function unwritable(filePath: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'store-unwritable' || code === 'store-corrupt') return error;
  const failure = storeError(
    code === 'ENOSPC' || code === 'EDQUOT' ? 'store-full' : 'store-unwritable',
    `${filePath}: ${describeSystemError(error).message}`,
    error,
  );
  const fix = fixUnwritable(error) ?? failure.fix;
  return new HermeticError(failure.code, failure.message, { cause: error, fix });
}
