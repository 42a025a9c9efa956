import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { ActionOutcome } from '../actions.js';

/** The file operations of publishing. Each call is durable when it returns. */
export interface Disk {
  write(path: string, text: string, mode: number, owner?: FileOwner): void;
  /** Makes a symbolic link at `path` to `target`, which may be relative to it. */
  symlink(target: string, path: string): void;
  /** Throws EEXIST when `to` exists. */
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

/** Numbers of the user and the group that own a file. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface ReplaceOptions {
  readonly mode: number;
  /** Default: the user of this process. */
  readonly owner?: FileOwner | undefined;
}

/** The file system of this machine. */
export const nodeDisk: Disk = {
  write(path, text, mode, owner) {
    // A folder that is created for a private file is private too.
    mkdirSync(dirname(path), { recursive: true, mode: (mode & 0o077) === 0 ? 0o700 : 0o755 });
    const file = openSync(path, 'w', mode);
    try {
      const { uid, gid } = fstatSync(file);
      if (owner && (owner.uid !== uid || owner.gid !== gid)) fchownSync(file, owner.uid, owner.gid);
      // The umask does not count. The mode follows the owner, because a change of owner may
      // clear bits.
      fchmodSync(file, mode);
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  symlink: (target, path) => symlinkSync(target, path),
  link(from, to) {
    linkSync(from, to);
    syncFolder(to);
  },
  rename(from, to) {
    renameSync(from, to);
    syncFolder(to);
  },
  remove: (path) => rmSync(path, { force: true }),
};

/** Creates a file completely or not at all. An existing file stays as it is. */
export function writeOnce(path: string, text: string, mode: number, disk: Disk = nodeDisk): void {
  const draft = draftOf(path);
  disk.write(draft, text, mode);
  try {
    disk.link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  disk.remove(draft);
}

/**
 * Replaces a file in one step: a reader finds the old file or the new one, never a part of
 * either. Throws the error of the file system.
 */
export function replaceFile(
  path: string,
  text: string,
  { mode, owner }: ReplaceOptions,
  disk: Disk = nodeDisk,
): void {
  const draft = draftOf(path);
  try {
    disk.write(draft, text, mode, owner);
    disk.rename(draft, path);
  } catch (error) {
    disk.remove(draft);
    throw error;
  }
}

/** Points a symbolic link to `target` in one step: a reader finds the old or the new one. */
export function pointLink(path: string, target: string, disk: Disk = nodeDisk): void {
  const draft = draftOf(path);
  disk.remove(draft);
  disk.symlink(target, draft);
  disk.rename(draft, path);
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
function draftOf(path: string): string {
  return `${path}.${process.pid}.new`;
}

/** Syncs the folder of a file: a new name is durable only when its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
