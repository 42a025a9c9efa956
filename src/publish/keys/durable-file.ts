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

/** What files are made with. Each call is on the disk when it returns. */
export interface Disk {
  write(path: string, text: string, mode: number, owner?: FileOwner): void;
  /** A symbolic link at `path` to `target`, which may be relative to it. */
  symlink(target: string, path: string): void;
  /** Throws EEXIST where `to` is there already. */
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

/** Numbers of the user and the group a file is to belong to. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export const nodeDisk: Disk = {
  write(path, text, mode, owner) {
    // A folder is as private as the file it is made for.
    mkdirSync(dirname(path), { recursive: true, mode: (mode & 0o077) === 0 ? 0o700 : 0o755 });
    const file = openSync(path, 'w', mode);
    try {
      const { uid, gid } = fstatSync(file);
      if (owner && (owner.uid !== uid || owner.gid !== gid)) fchownSync(file, owner.uid, owner.gid);
      // Whatever the umask, and after the owner, since a change of owner may take bits
      // away.
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

/** A file that is there whole or not at all; an existing one stays. */
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
 * Puts a file in the place of the one before: a reader finds the old or the new, never
 * half of one.
 */
export function replaceFile(
  path: string,
  text: string,
  mode: number,
  disk: Disk = nodeDisk,
  owner?: FileOwner,
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

/**
 * Turns a symbolic link from what it leads to, if anything, to `target`: a reader finds
 * the old or the new.
 */
export function pointLink(path: string, target: string, disk: Disk = nodeDisk): void {
  const draft = draftOf(path);
  disk.remove(draft);
  disk.symlink(target, draft);
  disk.rename(draft, path);
}

/** A name of this process alone, beside the file it is to become. */
function draftOf(path: string): string {
  return `${path}.${process.pid}.new`;
}

/** A new name in a folder is on the disk when the folder is. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
