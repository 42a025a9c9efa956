import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BoundedMap, HermeticError, newKeyPair, readTextFile } from '../../base/index.js';
import type { KeyType } from '../actions.js';
import { judgeHostChain, type RingCertificate } from './judge-chain.js';
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
 * `NAME.pem`, the chain of its certificate. Each file is written completely or not at
 * all. A name is used once: `make` returns an existing key unchanged.
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
   * Generates a key: P-256, or RSA with 2048 bits [9325-4.5-1]. An existing key of that
   * name remains unchanged.
   */
  make(hostName: string, keyName: string, keyType: KeyType): void {
    const filePath = this.keyFile(hostName, keyName);
    if (existsSync(filePath)) return;
    const { privateKey } =
      keyType === 'rsa'
        ? newKeyPair({ type: 'rsa', modulusLength: 2048 })
        : newKeyPair({ type: 'ec', namedCurve: 'prime256v1' });
    writeOnce(
      filePath,
      privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      0o600,
      this.disk,
    );
  }

  /**
   * Returns all keys of a host, sorted by name. Certificates are judged for the date
   * `now` (milliseconds since 1970).
   */
  list(hostName: string, now: number): readonly RingKey[] {
    const folder = join(this.folder, hostName);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((keyName) => keyName.endsWith('.key'))
      .sort()
      .map((entry) => {
        const keyName = entry.slice(0, -4);
        const keyObject = this.publicKey(hostName, keyName);
        return {
          ...serverKey(keyName, keyObject),
          ...this.#certificate(hostName, keyName, keyObject, now),
        };
      });
  }

  /**
   * Imports a private key in PEM under the name that `named` returns, unless the ring has
   * it. Returns the key with its name. Throws HermeticError that names `file`.
   */
  importKey(
    hostName: string,
    pem: string,
    named: (key: ServerKey) => string,
    filePath: string,
  ): ServerKey {
    const keyObject = requirePrivateKey(pem, filePath);
    const imported = serverKey('', createPublicKey(keyObject));
    const known = this.list(hostName, 0).find(({ sha256 }) => sha256 === imported.sha256);
    const keyName = known?.name ?? named(imported);
    if (!known)
      writeOnce(
        this.keyFile(hostName, keyName),
        keyObject.export({ type: 'pkcs8', format: 'pem' }) as string,
        0o600,
        this.disk,
      );
    return { ...imported, name: keyName };
  }

  /** Returns the path of a private key. */
  keyFile(hostName: string, keyName: string): string {
    return join(this.folder, hostName, `${keyName}.key`);
  }

  /** Returns the path of a chain. */
  chainFile(hostName: string, keyName: string): string {
    return join(this.folder, hostName, `${keyName}.pem`);
  }

  /** Returns the chain of a key, PEM; undefined if the key has no chain. */
  chain(hostName: string, keyName: string): string | undefined {
    const filePath = this.chainFile(hostName, keyName);
    return existsSync(filePath) ? readPem(filePath) : undefined;
  }

  /** Replaces the chain of a key in one step: a reader finds the old or the new chain. */
  putChain(hostName: string, keyName: string, pem: string): void {
    replaceFile(this.chainFile(hostName, keyName), pem, { mode: 0o644 }, this.disk);
  }

  /**
   * Returns a key with its chain, both PEM. Throws HermeticError if either is missing.
   */
  pair(hostName: string, keyName: string): { readonly key: string; readonly chain: string } {
    return {
      key: readPem(this.keyFile(hostName, keyName)),
      chain: readPem(this.chainFile(hostName, keyName)),
    };
  }

  /**
   * Returns the public key of a key of the ring, from a cache while the file is
   * unchanged.
   */
  publicKey(hostName: string, keyName: string): KeyObject {
    const filePath = this.keyFile(hostName, keyName);
    const written = statSync(filePath, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.#publicKeys.get(filePath);
    if (known?.written === written) return known.key;
    const keyObject = createPublicKey(this.privateKey(hostName, keyName));
    this.#publicKeys.set(filePath, { written, key: keyObject });
    return keyObject;
  }

  /** Returns a private key. Throws HermeticError if the key cannot be read. */
  privateKey(hostName: string, keyName: string): KeyObject {
    const filePath = this.keyFile(hostName, keyName);
    return requirePrivateKey(readPem(filePath), filePath);
  }

  #certificate(
    hostName: string,
    keyName: string,
    keyObject: KeyObject,
    at: number,
  ): Pick<RingKey, 'certified' | 'certificate' | 'flaw'> {
    const chain = this.chain(hostName, keyName);
    if (chain === undefined) return { certified: false };
    const judged = judgeHostChain(chain, { host: hostName, spki: spkiOf(keyObject), at });
    return { certified: 'certificate' in judged, ...judged };
  }
}

/** Returns a public key as TLSA records match it: its digests with selector SPKI(1). */
export function serverKey(name: string, keyObject: KeyObject): ServerKey {
  let digests = keyDigests.get(keyObject);
  if (!digests) {
    const digest = (hash: string): string =>
      createHash(hash).update(spkiOf(keyObject)).digest('hex');
    digests = { sha256: digest('sha256'), sha512: digest('sha512') };
    keyDigests.set(keyObject, digests);
  }
  return { name, type: keyObject.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa', ...digests };
}

// Encoding a key is slow, and every round compares every key.
const keyDigests = new WeakMap<KeyObject, Pick<ServerKey, 'sha256' | 'sha512'>>();
const encodedKeys = new WeakMap<KeyObject, Uint8Array>();

function spkiOf(keyObject: KeyObject): Uint8Array {
  const spki = encodedKeys.get(keyObject) ?? keyObject.export({ type: 'spki', format: 'der' });
  encodedKeys.set(keyObject, spki);
  return spki;
}

function readPem(filePath: string): string {
  return readTextFile(filePath, { code: 'publish-key-unreadable' });
}

/** Parses an unencrypted private key; returns undefined if the PEM text contains none. */
export function parsePrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function requirePrivateKey(pem: string, filePath: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new HermeticError('publish-key-unreadable', `${filePath}: no private key in PEM`, {
      cause,
      fix: 'Specify a file with an unencrypted private key.',
    });
  }
}
