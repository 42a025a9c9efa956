import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BoundedMap, HermeticError, newKeyPair, readTextFile } from '../../base/index.js';
import type { KeyType } from '../actions.js';
import { judgeChain, type RingCertificate } from './judge-chain.js';
import type { ServerKey } from '../tlsa/types.js';
import { nodeDisk, replaceFile, writeOnce, type Disk } from './durable-file.js';

/**
 * A key of the ring. `certified`: the ring has a chain that fits, described by
 * `certificate`. `flaw`: the fault of a chain that does not fit.
 */
export type RingKey = ServerKey & {
  readonly certified: boolean;
  readonly certificate?: RingCertificate;
  readonly flaw?: string;
};

/**
 * Stores private keys on this machine: `FOLDER/HOST/NAME.key` in PKCS #8, and next to it
 * `NAME.pem`, the chain of its certificate. Each file is written completely or not at all.
 * A name is used once: making a key again returns the existing one.
 */
export class KeyRing {
  /** Parsing a private key takes a millisecond, and every round needs every key. */
  readonly #publicKeys = new BoundedMap<{ readonly written: number; readonly key: KeyObject }>(
    20_000,
  );

  constructor(
    readonly folder: string,
    readonly disk: Disk = nodeDisk,
  ) {}

  /**
   * Makes a key: P-256, or RSA with 2048 bits [9325-4.5-1]. An existing key of that name
   * stays.
   */
  make(host: string, name: string, type: KeyType): void {
    const path = this.keyFile(host, name);
    if (existsSync(path)) return;
    const { privateKey } =
      type === 'rsa'
        ? newKeyPair({ type: 'rsa', modulusLength: 2048 })
        : newKeyPair({ type: 'ec', namedCurve: 'prime256v1' });
    writeOnce(
      path,
      privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      0o600,
      this.disk,
    );
  }

  /**
   * Returns all keys of a host, sorted by name. Certificates are judged for the date `now`
   * (milliseconds since 1970).
   */
  list(host: string, now: number): readonly RingKey[] {
    const folder = join(this.folder, host);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith('.key'))
      .sort()
      .map((entry) => {
        const name = entry.slice(0, -4);
        const key = this.publicKey(host, name);
        return { ...serverKey(name, key), ...this.#certificate(host, name, key, now) };
      });
  }

  /**
   * Imports a private key in PEM under the name that `named` returns, unless the ring has
   * it. Returns the key with its name. Throws HermeticError that names `file`.
   */
  importKey(host: string, pem: string, named: (key: ServerKey) => string, file: string): ServerKey {
    const key = requirePrivateKey(pem, file);
    const imported = serverKey('', createPublicKey(key));
    const known = this.list(host, 0).find(({ sha256 }) => sha256 === imported.sha256);
    const name = known?.name ?? named(imported);
    if (!known)
      writeOnce(
        this.keyFile(host, name),
        key.export({ type: 'pkcs8', format: 'pem' }) as string,
        0o600,
        this.disk,
      );
    return { ...imported, name };
  }

  /** Returns the path of a private key. */
  keyFile(host: string, name: string): string {
    return join(this.folder, host, `${name}.key`);
  }

  /** Returns the path of a chain. */
  chainFile(host: string, name: string): string {
    return join(this.folder, host, `${name}.pem`);
  }

  /** Returns the chain of a key, PEM. Undefined: it has none. */
  chain(host: string, name: string): string | undefined {
    const file = this.chainFile(host, name);
    return existsSync(file) ? readPem(file) : undefined;
  }

  /** Replaces the chain of a key in one step: a reader finds the old or the new chain. */
  putChain(host: string, name: string, pem: string): void {
    replaceFile(this.chainFile(host, name), pem, { mode: 0o644 }, this.disk);
  }

  /** Returns a key with its chain, both PEM. Throws HermeticError when one is missing. */
  pair(host: string, name: string): { readonly key: string; readonly chain: string } {
    return { key: readPem(this.keyFile(host, name)), chain: readPem(this.chainFile(host, name)) };
  }

  /** Returns the public key of a key of the ring, from a cache while the file is unchanged. */
  publicKey(host: string, name: string): KeyObject {
    const file = this.keyFile(host, name);
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.#publicKeys.get(file);
    if (known?.written === written) return known.key;
    const key = createPublicKey(this.privateKey(host, name));
    this.#publicKeys.set(file, { written, key });
    return key;
  }

  /** Returns a private key. Throws HermeticError when it cannot be read. */
  privateKey(host: string, name: string): KeyObject {
    const file = this.keyFile(host, name);
    return requirePrivateKey(readPem(file), file);
  }

  #certificate(
    host: string,
    name: string,
    key: KeyObject,
    at: number,
  ): Pick<RingKey, 'certified' | 'certificate' | 'flaw'> {
    const chain = this.chain(host, name);
    if (chain === undefined) return { certified: false };
    const judged = judgeChain(chain, { host, spki: spkiOf(key), at });
    return { certified: 'certificate' in judged, ...judged };
  }
}

/** Returns a public key as TLSA records match it: its digests with selector SPKI(1). */
export function serverKey(name: string, key: KeyObject): ServerKey {
  let digests = keyDigests.get(key);
  if (!digests) {
    const digest = (hash: string): string => createHash(hash).update(spkiOf(key)).digest('hex');
    digests = { sha256: digest('sha256'), sha512: digest('sha512') };
    keyDigests.set(key, digests);
  }
  return { name, type: key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa', ...digests };
}

// Encoding a key is slow, and every round compares every key.
const keyDigests = new WeakMap<KeyObject, Pick<ServerKey, 'sha256' | 'sha512'>>();
const encodedKeys = new WeakMap<KeyObject, Uint8Array>();

function spkiOf(key: KeyObject): Uint8Array {
  const spki = encodedKeys.get(key) ?? key.export({ type: 'spki', format: 'der' });
  encodedKeys.set(key, spki);
  return spki;
}

function readPem(file: string): string {
  return readTextFile(file, { code: 'publish-key-unreadable' });
}

/** Parses an unencrypted private key. Undefined: the PEM text has none. */
export function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function requirePrivateKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new HermeticError('publish-key-unreadable', `${file}: no private key in PEM`, {
      cause,
      fix: 'Name a file with an unencrypted private key.',
    });
  }
}
