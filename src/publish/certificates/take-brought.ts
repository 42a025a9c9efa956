import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeSystemError } from '../../base/index.js';
import type { Alert, ImportKey, KeyType, Wait } from '../actions.js';
import { privateKeyIn, serverKey, type KeyRing, type RingKey } from '../keys/key-ring.js';
import { accepts, parsePem, verifyChain, type TrustStore } from '../../x509/index.js';
import type { ServerKey } from '../tlsa/types.js';
import { judgeChain } from '../keys/judge-chain.js';

/** Files that certbot, acme.sh or the operator keeps up to date. */
export interface BroughtFiles {
  readonly chain: string;
  readonly key: string;
}

/** An import, and the key as the ring holds it afterwards. */
export interface Import {
  readonly action: ImportKey;
  readonly key: RingKey;
}

export interface Brought {
  /** The key that the files hold, under its name in the ring. */
  readonly key?: ServerKey;
  /** What the ring lacks of it. */
  readonly imports: readonly Import[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}

export interface BroughtOptions {
  readonly ring: KeyRing;
  readonly anchors: TrustStore;
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * The number of the last key of a type that the rollover knows, or another import
   * takes.
   */
  made(type: KeyType): number;
}

/** Files that changed so short a time ago may be half of a renewal. */
const SETTLES = 60_000;

/**
 * Examines files of another program and plans to import what is good in them: another
 * chain for a key of the ring, or a new key with its chain, which the rollover then
 * treats as the next one. Nothing is written. Files that do not fit are reported and
 * left. A chain that leads to no public CA does not replace one that does.
 */
export function examineBrought(
  host: string,
  { chain: chainFile, key: keyFile }: BroughtFiles,
  options: BroughtOptions,
): Brought {
  const { ring, at, anchors, made } = options;
  const read = readBoth(chainFile, keyFile);
  if ('why' in read) return unfit(host, read.why);
  const { chain, key: pem, changed } = read;
  const privateKey = privateKeyIn(pem);
  const publicKey = privateKey && createPublicKey(privateKey);
  const found = publicKey && serverKey('', publicKey);
  const spki = publicKey?.export({ type: 'spki', format: 'der' });
  const judged = spki
    ? judgeChain(chain, { host, spki, at })
    : { flaw: `goes with ${keyFile}, which holds no private key in PEM` };
  const held = ring.list(host, at);
  const flaw = flawOf();
  if (flaw !== undefined || !found || !('certificate' in judged)) {
    if (at - changed >= SETTLES) return unfit(host, `${chainFile} ${flaw ?? ''}`);
    const why = `${chainFile} ${flaw ?? ''}; it has changed just now`;
    const waits = [{ subject: host, why, until: changed + SETTLES }];
    return { imports: [], waits, alerts: [] };
  }
  const known = held.find(({ sha256 }) => sha256 === found.sha256);
  const key = { ...found, name: known?.name ?? `${found.type}-${nextNumber(found.type)}` };
  const rest = { key, waits: [], alerts: [] };
  if (known && ring.chain(host, key.name) === chain) return { ...rest, imports: [] };
  const action: ImportKey = {
    kind: 'import-key',
    host,
    key: key.name,
    from: { file: keyFile, sha256: key.sha256 },
    chain: { file: chainFile, sha256: sha256Of(chain) },
  };
  const imported = { ...key, certified: true, certificate: judged.certificate };
  return { ...rest, imports: [{ action, key: imported }] };

  function flawOf(): string | undefined {
    if ('flaw' in judged) return judged.flaw;
    const others = held.filter(({ type, certified }) => type === found?.type && certified);
    const trusted = others.some(({ name }) => isTrusted(ring.chain(host, name) ?? '', anchors, at));
    return trusted && !isTrusted(chain, anchors, at)
      ? 'leads to no public CA, as the one before did: is it the certificate without its intermediates?'
      : undefined;
  }

  function nextNumber(type: KeyType): number {
    const numbers = held.map(({ name }) =>
      Number(new RegExp(`^${type}-(\\d{1,9})$`).exec(name)?.[1] ?? 0),
    );
    return 1 + Math.max(made(type), ...numbers);
  }
}

/**
 * A key that a server has already, which the ring lacks; reported where its file holds no
 * key.
 */
export function examineAdopted(
  host: string,
  file: string,
  { ring, at }: Pick<BroughtOptions, 'ring' | 'at'>,
): Omit<Brought, 'key' | 'waits'> {
  const pem = readIfThere(file);
  const privateKey = typeof pem === 'string' ? privateKeyIn(pem) : undefined;
  if (!privateKey) {
    const why = typeof pem === 'string' ? `${file}: no private key in PEM` : pem.why;
    return {
      imports: [],
      alerts: [{ code: 'publish-adopt-unreadable', subject: host, detail: why }],
    };
  }
  const key = serverKey('', createPublicKey(privateKey));
  const { sha256 } = key;
  if (ring.list(host, at).some((known) => known.sha256 === sha256))
    return { imports: [], alerts: [] };
  const name = `adopted-${sha256.slice(0, 8)}-0`;
  const action = { kind: 'import-key', host, key: name, from: { file, sha256 } } as const;
  return { imports: [{ action, key: { ...key, name, certified: false } }], alerts: [] };
}

/**
 * Whether certbot will make another key at its next renewal. Undefined: the file is not
 * one of certbot's, or its settings cannot be read.
 */
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

function readIfThere(file: string): string | { readonly why: string } {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return { why: `${file}: ${describeSystemError(error).message}` };
  }
}

/** Digest of a file's text, lower-case hex. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isTrusted(pem: string, anchors: TrustStore, at: number): boolean {
  const parsed = parsePem(pem);
  return parsed.ok && accepts(verifyChain({ sent: parsed.value, anchors, validationTime: at }));
}

function unfit(host: string, detail: string): Brought {
  return {
    imports: [],
    waits: [],
    alerts: [{ code: 'publish-brought-unfit', subject: host, detail }],
  };
}
