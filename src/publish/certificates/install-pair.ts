import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyType } from '../actions.js';
import {
  nodeDisk,
  pointLink,
  replaceFile,
  type Disk,
  type FileOwner,
} from '../keys/durable-file.js';

/** A private key and the chain for it, both PEM. */
export interface KeyPairFiles {
  readonly key: string;
  readonly chain: string;
}

/**
 * What a mail server finds below `FOLDER/ecdsa/`: `both.pem` is the key and the chain
 * after it.
 */
const files = ['chain.pem', 'key.pem', 'both.pem'] as const;
type FileName = (typeof files)[number];

/** Whether that is what the server finds in the folder now. */
export function isInstalled(folder: string, type: KeyType, pair: KeyPairFiles): boolean {
  return files.every((name) => readIfThere(join(folder, type, name)) === textOf(name, pair));
}

/**
 * Puts key and chain where a mail server reads them: a folder of their own for each pair,
 * and `FOLDER/ecdsa` as a link that is turned from the old to the new one at once. So no
 * crash leaves a key beside the chain of another, and whoever opens `both.pem` once never
 * sees such a thing at all. Files belong to whom the folder belongs; its group may read
 * the keys when it may read the folder. Throws what the file system says.
 */
export function installPair(
  folder: string,
  type: KeyType,
  pair: KeyPairFiles,
  disk: Disk = nodeDisk,
): void {
  const fresh = `.${type}-${createHash('sha256').update(pair.chain).digest('hex').slice(0, 16)}`;
  const { owner, keyMode } = readersOf(folder);
  for (const name of files)
    replaceFile(
      join(folder, fresh, name),
      textOf(name, pair),
      name === 'chain.pem' ? 0o644 : keyMode,
      disk,
      owner,
    );
  const before = linkedTo(join(folder, type));
  pointLink(join(folder, type), fresh, disk);
  // A reader may be between two files of the one before; those older are nobody's.
  for (const old of readdirSync(folder))
    if (old.startsWith(`.${type}-`) && old !== fresh && old !== before)
      rmSync(join(folder, old), { recursive: true, force: true });
}

function textOf(name: FileName, { key, chain }: KeyPairFiles): string {
  const [first, second] = [key, chain].map((pem) => `${pem.trimEnd()}\n`);
  return { 'chain.pem': `${second}`, 'key.pem': `${first}`, 'both.pem': `${first}${second}` }[name];
}

function readersOf(folder: string): { readonly owner?: FileOwner; readonly keyMode: number } {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found) return { keyMode: 0o600 };
  const { uid, gid, mode } = found;
  return { owner: { uid, gid }, keyMode: gid !== 0 && (mode & 0o050) === 0o050 ? 0o640 : 0o600 };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function linkedTo(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
