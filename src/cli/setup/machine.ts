import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describeSystemError, HermeticError } from '../../base/index.js';

/** The result of a program. */
export interface Ran {
  /** 127: the program is not installed. */
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface FileFacts {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The parts of this machine that setup changes and doctor examines. */
export interface Machine {
  /**
   * Returns the real path for a path of the system: tests place a whole system in a
   * folder.
   */
  path(path: string): string;
  /**
   * Reads the text of a file; undefined if the file does not exist or this user may not
   * read it.
   */
  read(path: string): string | undefined;
  /** Replaces a file at once, or creates it. */
  write(path: string, text: string, mode?: number): void;
  remove(path: string): void;
  facts(path: string): FileFacts | undefined;
  /**
   * Returns the octets that are free for the user of the daemon; undefined if it is
   * unknown.
   */
  freeBytes(path: string): number | undefined;
  /**
   * Returns the files that can still be created; undefined if that is unknown or
   * unlimited.
   */
  freeFiles(path: string): number | undefined;
  run(command: readonly string[]): Ran;
}

const RUN_TIMEOUT = 120_000;

function unwritable(file: string, cause: unknown): HermeticError {
  const { message, fix } = describeSystemError(cause);
  return new HermeticError('file-unwritable', `${file}: ${message}`, { cause, fix });
}

/**
 * Returns the error output of a program, with its name as prefix unless the program
 * printed it.
 */
export function programError(program: string, err: string): string {
  const text = err.trim();
  return text.startsWith(`${program}: `) ? text : `${program}: ${text}`;
}

/** Returns this machine, or the system in the folder `root`. */
export function nodeMachine(root = ''): Machine {
  const path = (name: string): string => (root === '' ? name : join(root, name));
  return {
    path,
    read(name) {
      try {
        return readFileSync(path(name), 'utf8');
      } catch {
        return undefined;
      }
    },
    write(name, text, mode = 0o644) {
      const file = path(name);
      const part = `${file}.${process.pid}.part`;
      try {
        const before = statSync(file, { throwIfNoEntry: false });
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(part, text, { mode });
        chmodSync(part, before ? before.mode & 0o7777 : mode);
        renameSync(part, file);
      } catch (error) {
        if (existsSync(part)) rmSync(part);
        throw unwritable(file, error);
      }
    },
    remove(name) {
      try {
        rmSync(path(name), { force: true });
      } catch (error) {
        throw unwritable(path(name), error);
      }
    },
    facts(name) {
      const found = statSync(path(name), { throwIfNoEntry: false });
      return found && { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
    },
    freeBytes(name) {
      if (!existsSync(path(name))) return undefined;
      const { bavail, bsize } = statfsSync(path(name));
      return bavail * bsize;
    },
    freeFiles(name) {
      if (!existsSync(path(name))) return undefined;
      const { files, ffree } = statfsSync(path(name));
      // A file system such as btrfs has no fixed number of inodes.
      return files === 0 ? undefined : ffree;
    },
    run([program = '', ...args]) {
      const { status, stdout, stderr, error } = spawnSync(program, args, {
        encoding: 'utf8',
        timeout: RUN_TIMEOUT,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      if (error) return { status: 127, out: '', err: error.message };
      return { status: status ?? 1, out: stdout, err: stderr };
    },
  };
}
