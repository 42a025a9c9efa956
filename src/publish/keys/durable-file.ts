import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { ActionOutcome } from '../actions.js';

/** The file operations of publishing. Each call is durable when it returns. */
export interface Disk {
  write(filePath: string, text: string, mode: number, fileOwner?: FileOwner): void;
  /** Creates a symbolic link at `path`; `target` may be relative to `path`. */
  symlink(target: string, filePath: string): void;
  /** Throws EEXIST when `to` exists. */
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  remove(filePath: string): void;
}

/** The user id and the group id that own a file. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface ReplaceOptions {
  readonly mode: number;
  /** Default: the user of this process; for root, the owner of the folder. */
  readonly owner?: FileOwner | undefined;
}

/** The file system of this machine. */
export const nodeDisk: Disk = {
  write(filePath, text, mode, fileOwner) {
    const folder = dirname(filePath);
    // A folder that is created for a private file is private too.
    makeFolder(folder, (mode & 0o077) === 0 ? 0o700 : 0o755);
    const owner = fileOwner ?? inheritedOwner(folder);
    // A symbolic link that the owner of the folder placed here must not redirect root to
    // another file.
    rmSync(filePath, { force: true });
    const file = openSync(filePath, 'wx', mode);
    try {
      const { uid, gid } = fstatSync(file);
      if (owner && (owner.uid !== uid || owner.gid !== gid)) fchownSync(file, owner.uid, owner.gid);
      // `fchmod` ignores the umask. The call follows the change of owner, because that
      // change may clear mode bits.
      fchmodSync(file, mode);
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  symlink: (target, filePath) => symlinkSync(target, filePath),
  link(from, to) {
    linkSync(from, to);
    syncFolder(to);
  },
  rename(from, to) {
    renameSync(from, to);
    syncFolder(to);
  },
  remove: (filePath) => rmSync(filePath, { force: true }),
};

/** Creates a file completely or not at all. An existing file remains unchanged. */
export function writeOnce(
  filePath: string,
  text: string,
  mode: number,
  disk: Disk = nodeDisk,
): void {
  const draft = draftOf(filePath);
  disk.write(draft, text, mode);
  try {
    disk.link(draft, filePath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  disk.remove(draft);
}

/**
 * Replaces a file in one step: a reader finds the old file or the new one, never a part
 * of either. Throws the error of the file system.
 */
export function replaceFile(
  filePath: string,
  text: string,
  { mode, owner }: ReplaceOptions,
  disk: Disk = nodeDisk,
): void {
  const draft = draftOf(filePath);
  try {
    disk.write(draft, text, mode, owner);
    disk.rename(draft, filePath);
  } catch (error) {
    disk.remove(draft);
    throw error;
  }
}

/**
 * Points a symbolic link to `target` in one step: a reader finds the old or the new one.
 */
export function pointLink(filePath: string, target: string, disk: Disk = nodeDisk): void {
  const draft = draftOf(filePath);
  disk.remove(draft);
  disk.symlink(target, draft);
  disk.rename(draft, filePath);
}

/**
 * Returns the error of a file operation, such as a full disk or a folder without write
 * permission, as an outcome. Throws any other error again.
 */
export function writeFailure(error: unknown): Extract<ActionOutcome, { status: 'failed' }> {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) throw error;
  return { status: 'failed', code: 'publish-write-failed', detail: message };
}

/** Returns a name for the draft of a file that only this process uses. */
function draftOf(filePath: string): string {
  return `${filePath}.${process.pid}.new`;
}

/** Creates a folder, and the missing ones above it. */
function makeFolder(folder: string, mode: number): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  makeFolder(parent, mode);
  const owner = inheritedOwner(parent);
  const isNew = mkdirSync(folder, { recursive: true, mode }) !== undefined;
  if (isNew && owner) lchownSync(folder, owner.uid, owner.gid);
}

/**
 * Returns the owner for a new file in a folder. The user of the daemon must be able to
 * read every file that a command of root creates.
 */
function inheritedOwner(folder: string): FileOwner | undefined {
  return process.getuid?.() === 0 ? statSync(folder) : undefined;
}

/**
 * Syncs the folder of a file: a new name is durable only after the sync of its folder.
 */
function syncFolder(filePath: string): void {
  const folder = openSync(dirname(filePath), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
