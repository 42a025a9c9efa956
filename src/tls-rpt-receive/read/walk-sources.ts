import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSystemError, HermeticError } from '../../base/index.js';

/** Something to import from: a file, or standard input. */
export interface Source {
  readonly name: string;
  open(): AsyncIterable<Uint8Array>;
}

/**
 * The files that a path stands for: itself, or all below it without those whose name
 * begins with a dot. Of a maildir (`cur`, `new`, `tmp`) what is still being delivered in
 * `tmp` is left out. Throws HermeticError for a path that is not there.
 */
export async function* walkSources(path: string): AsyncGenerator<Source> {
  if ((await statOf(path)).isDirectory()) yield* walkFolder(path);
  else yield fileSource(path);
}

async function* walkFolder(folder: string): AsyncGenerator<Source> {
  const entries = await readdir(folder, { withFileTypes: true });
  const isMaildir = ['cur', 'new', 'tmp'].every((name) =>
    entries.some((e) => e.name === name && e.isDirectory()),
  );
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !(isMaildir && entry.name === 'tmp')) yield* walkFolder(path);
    else if (entry.isFile() && !entry.name.startsWith('.')) yield fileSource(path);
  }
}

function fileSource(path: string): Source {
  return { name: path, open: () => createReadStream(path, { highWaterMark: 256 * 1024 }) };
}

async function statOf(path: string): ReturnType<typeof stat> {
  try {
    return await stat(path);
  } catch (error) {
    const { message, fix } = describeSystemError(error);
    throw new HermeticError('file-unreadable', `${path}: ${message}`, { cause: error, fix });
  }
}
