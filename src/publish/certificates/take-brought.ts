import { createPublicKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Alert, KeyType, Wait } from '../actions.js';
import { privateKeyIn, serverKey, type KeyRing } from '../keys/key-ring.js';
import { writeFailure } from '../keys/write-failure.js';
import { accepts, parsePem, verifyChain, type TrustStore } from '../../x509/index.js';
import type { ServerKey } from '../rollover/types.js';
import { judgeChain } from './judge-chain.js';

/** Files that certbot, acme.sh or a person keeps up to date. */
export interface BroughtFiles {
  readonly chain: string;
  readonly key: string;
}

export interface Brought {
  /** The key that the files hold, as it is named in the ring. */
  readonly key?: ServerKey;
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}

export interface BroughtOptions {
  readonly ring: KeyRing;
  readonly anchors: TrustStore;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The number of the last key of a type that the rollover knows. */
  made(type: KeyType): number;
}

/** Files that changed so short a time ago may be half of a renewal. */
const SETTLES = 60_000;

/**
 * Looks at files of somebody else and takes over what is good in them: another chain for a key of the ring, or a new key with its chain, which the rollover then
 * treats as the next one. The files are only read. What does not fit is told and left where it is. A chain that public CAs do not vouch for is not taken in the
 * place of one that they do.
 */
export function takeBrought(
  host: string,
  { chain: chainFile, key: keyFile }: BroughtFiles,
  options: BroughtOptions,
): Brought {
  const { ring, at, anchors, made } = options;
  const read = readBoth(chainFile, keyFile);
  if ('why' in read) return unfit(host, read.why);
  const { chain, key, changed } = read;
  const privateKey = privateKeyIn(key);
  const known = privateKey && serverKey('', createPublicKey(privateKey));
  const flaw = flawOf();
  if (flaw !== undefined)
    return at - changed < SETTLES
      ? {
          waits: [
            {
              subject: host,
              why: `${chainFile} ${flaw}; it has changed just now`,
              until: changed + SETTLES,
            },
          ],
          alerts: [],
        }
      : unfit(host, `${chainFile} ${flaw}`);
  try {
    const taken = ring.take(host, key, ({ type }) => `${type}-${nextNumber(type)}`, keyFile);
    if (ring.chain(host, taken.name) !== chain) ring.putChain(host, taken.name, chain);
    return { key: taken, waits: [], alerts: [] };
  } catch (error) {
    const { code, detail } = writeFailure(error);
    return { waits: [], alerts: [{ code, subject: host, detail }] };
  }

  function flawOf(): string | undefined {
    if (!privateKey || !known) return `goes with ${keyFile}, which is no private key in PEM`;
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    const judged = judgeChain(chain, { host, spki, at });
    if ('flaw' in judged) return judged.flaw;
    const others = ring
      .list(host, at)
      .filter(({ type, certified }) => type === known.type && certified);
    const trusted = others.some(({ name }) => isTrusted(ring.chain(host, name) ?? '', anchors, at));
    return trusted && !isTrusted(chain, anchors, at)
      ? 'leads to no public CA, as the one before did: is it the certificate without its intermediates?'
      : undefined;
  }

  function nextNumber(type: KeyType): number {
    const numbers = ring
      .list(host, at)
      .map(({ name }) => Number(new RegExp(`^${type}-(\\d{1,9})$`).exec(name)?.[1] ?? 0));
    return 1 + Math.max(made(type), ...numbers);
  }
}

/** Whether certbot will make another key at its next renewal. Undefined: the file is not one of certbot's, or its settings cannot be read. */
export function renewsKey(chainFile: string): boolean | undefined {
  const live = dirname(chainFile);
  const name = basename(live);
  if (basename(dirname(live)) !== 'live') return undefined;
  try {
    return !/^\s*reuse_key\s*=\s*true\s*$/im.test(
      readFileSync(join(live, '..', '..', 'renewal', `${name}.conf`), 'utf8'),
    );
  } catch {
    return undefined;
  }
}

function readBoth(
  chainFile: string,
  keyFile: string,
): { chain: string; key: string; changed: number } | { why: string } {
  try {
    const changed = Math.max(statSync(chainFile).mtimeMs, statSync(keyFile).mtimeMs);
    return { chain: readFileSync(chainFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), changed };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

function isTrusted(pem: string, anchors: TrustStore, at: number): boolean {
  const parsed = parsePem(pem);
  return parsed.ok && accepts(verifyChain({ sent: parsed.value, anchors, at }));
}

function unfit(host: string, detail: string): Brought {
  return { waits: [], alerts: [{ code: 'publish-brought-unfit', subject: host, detail }] };
}
