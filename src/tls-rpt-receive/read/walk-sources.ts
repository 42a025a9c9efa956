import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSystemError, HermeticError } from '../../base/index.js';

/** A source of an import: a file, or standard input. */
export interface Source {
  readonly name: string;
  open(): AsyncIterable<Uint8Array>;
}

/**
 * Yields the files at a path: the file itself, or all files below a folder except those
 * whose names begin with a dot. Omits the folder `tmp` of a maildir (`cur`, `new`,
 * `tmp`), which contains mail that is still being delivered. Throws HermeticError for a
 * path that does not exist.
 */
export async function* walkSources(filePath: string): AsyncGenerator<Source> {
  if ((await statOf(filePath)).isDirectory()) yield* walkFolder(filePath);
  else yield fileSource(filePath);
}

async function* walkFolder(folder: string): AsyncGenerator<Source> {
  const entries = await readdir(folder, { withFileTypes: true });
  const isMaildir = ['cur', 'new', 'tmp'].every((fileName) =>
    entries.some((dirent) => dirent.name === fileName && dirent.isDirectory()),
  );
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const filePath = join(folder, entry.name);
    if (entry.isDirectory() && !(isMaildir && entry.name === 'tmp')) yield* walkFolder(filePath);
    else if (entry.isFile() && !entry.name.startsWith('.')) yield fileSource(filePath);
  }
}

function fileSource(filePath: string): Source {
  return { name: filePath, open: () => createReadStream(filePath, { highWaterMark: 256 * 1024 }) };
}

async function statOf(filePath: string): ReturnType<typeof stat> {
  try {
    return await stat(filePath);
  } catch (error) {
    const { message, fix } = describeSystemError(error);
    throw new HermeticError('file-unreadable', `${filePath}: ${message}`, { cause: error, fix });
  }
}
