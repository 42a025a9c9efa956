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

/** A private key and its chain, both PEM. */
export interface KeyPairFiles {
  readonly key: string;
  readonly chain: string;
}

/**
 * Files that a mail server reads below `FOLDER/ecdsa/`. `both.pem`: the key, then the
 * chain.
 */
const fileNames = ['chain.pem', 'key.pem', 'both.pem'] as const;
type FileName = (typeof fileNames)[number];

/** Returns whether the folder contains exactly this pair now. */
export function isInstalled(folder: string, keyType: KeyType, pair: KeyPairFiles): boolean {
  return fileNames.every(
    (name) => readIfPresent(join(folder, keyType, name)) === textOf(name, pair),
  );
}

/**
 * Installs key and chain where a mail server reads them. Each pair has a separate folder,
 * and `FOLDER/ecdsa` is a symbolic link that is switched from the old folder to the new
 * one in one step. No crash leaves a key next to the chain of another key, and a server
 * that opens `both.pem` once never reads such a mix.
 *
 * Files get the owner of the folder. The group of the folder may read the keys if it may
 * read the folder. Throws the error of the file system.
 */
export function installPair(
  folder: string,
  keyType: KeyType,
  pair: KeyPairFiles,
  disk: Disk = nodeDisk,
): void {
  const digest = createHash('sha256').update(pair.chain).digest('hex').slice(0, 16);
  const pairFolder = `.${keyType}-${digest}`;
  const { owner, keyMode } = permissionsOf(folder);
  for (const name of fileNames) {
    const mode = name === 'chain.pem' ? 0o644 : keyMode;
    replaceFile(join(folder, pairFolder, name), textOf(name, pair), { mode, owner }, disk);
  }
  const before = linkTarget(join(folder, keyType));
  pointLink(join(folder, keyType), pairFolder, disk);
  // A server may still be reading the files of the previous pair. Older pairs are unused.
  for (const entry of readdirSync(folder))
    if (entry.startsWith(`.${keyType}-`) && entry !== pairFolder && entry !== before)
      rmSync(join(folder, entry), { recursive: true, force: true });
}

function textOf(name: FileName, { key, chain }: KeyPairFiles): string {
  const [keyText, chainText] = [`${key.trimEnd()}\n`, `${chain.trimEnd()}\n`];
  return { 'chain.pem': chainText, 'key.pem': keyText, 'both.pem': keyText + chainText }[name];
}

function permissionsOf(folder: string): { readonly owner?: FileOwner; readonly keyMode: number } {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats) return { keyMode: 0o600 };
  const { uid, gid, mode } = stats;
  const isGroupReadable = gid !== 0 && (mode & 0o050) === 0o050;
  return { owner: { uid, gid }, keyMode: isGroupReadable ? 0o640 : 0o600 };
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
