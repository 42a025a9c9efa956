import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BoundedMap, HermeticError, newKeyPair } from '../../base/index.js';
import type { KeyType } from '../actions.js';
import { judgeChain, type HeldCertificate } from './judge-chain.js';
import type { ServerKey } from '../tlsa/types.js';
import { nodeDisk, replaceFile, writeOnce, type Disk } from './durable-file.js';

/**
 * A key of the ring. `certified`: a chain that fits is at hand, `certificate`; `flaw`
 * says what is wrong with the one that is there.
 */
export type RingKey = ServerKey & {
  readonly certified: boolean;
  readonly certificate?: HeldCertificate;
  readonly flaw?: string;
};

/**
 * Private keys on this machine, `FOLDER/HOST/NAME.key` in PKCS #8 and beside it
 * `NAME.pem`, the chain of its certificate. Files are made whole or not at all, and a
 * name is given once: making a key again gives the one that is there.
 */
export class KeyRing {
  /** Reading a private key takes a millisecond, and every round asks for every key. */
  readonly #publicKeys = new BoundedMap<{ readonly written: number; readonly key: KeyObject }>(
    20_000,
  );

  constructor(
    readonly folder: string,
    readonly disk: Disk = nodeDisk,
  ) {}

  /**
   * Makes a key, or leaves the one of that name as it is: P-256, or RSA of 2048 bits
   * [9325-4.5-1].
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
   * All keys of a host, by name. `now` (milliseconds) is the date certificates are judged
   * by.
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
   * Takes a private key in PEM into the ring, under the name that `named` gives it,
   * unless it is there; gives the key back. `file` is for the error.
   */
  take(host: string, pem: string, named: (key: ServerKey) => string, file: string): ServerKey {
    const key = privateKeyOf(pem, file);
    const taken = serverKey('', createPublicKey(key));
    const known = this.list(host, 0).find(({ sha256 }) => sha256 === taken.sha256);
    const name = known?.name ?? named(taken);
    if (!known)
      writeOnce(
        this.keyFile(host, name),
        key.export({ type: 'pkcs8', format: 'pem' }) as string,
        0o600,
        this.disk,
      );
    return { ...taken, name };
  }

  keyFile(host: string, name: string): string {
    return join(this.folder, host, `${name}.key`);
  }

  chainFile(host: string, name: string): string {
    return join(this.folder, host, `${name}.pem`);
  }

  /** The chain beside a key, PEM. */
  chain(host: string, name: string): string | undefined {
    const file = this.chainFile(host, name);
    return existsSync(file) ? readPem(file) : undefined;
  }

  /**
   * Puts a chain beside its key, in the place of the one before; a reader finds the old
   * or the new.
   */
  putChain(host: string, name: string, pem: string): void {
    replaceFile(this.chainFile(host, name), pem, 0o644, this.disk);
  }

  /** A key with its chain, both PEM. Throws HermeticError where one is missing. */
  pair(host: string, name: string): { readonly key: string; readonly chain: string } {
    return { key: readPem(this.keyFile(host, name)), chain: readPem(this.chainFile(host, name)) };
  }

  publicKey(host: string, name: string): KeyObject {
    const file = this.keyFile(host, name);
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = this.#publicKeys.get(file);
    if (known?.written === written) return known.key;
    const key = createPublicKey(this.privateKey(host, name));
    this.#publicKeys.set(file, { written, key });
    return key;
  }

  privateKey(host: string, name: string): KeyObject {
    const file = this.keyFile(host, name);
    return privateKeyOf(readPem(file), file);
  }

  #certificate(
    host: string,
    name: string,
    key: KeyObject,
    at: number,
  ): Pick<RingKey, 'certified' | 'certificate' | 'flaw'> {
    const chain = this.chain(host, name);
    if (chain === undefined) return { certified: false };
    const judged = judgeChain(chain, {
      host,
      spki: spkiOf(key),
      at,
    });
    return { certified: 'certificate' in judged, ...judged };
  }
}

/** The names that TLSA records have for a public key. */
export function serverKey(name: string, key: KeyObject): ServerKey {
  let digests = keyDigests.get(key);
  if (!digests) {
    const digest = (hash: string): string => createHash(hash).update(spkiOf(key)).digest('hex');
    digests = { sha256: digest('sha256'), sha512: digest('sha512') };
    keyDigests.set(key, digests);
  }
  return { name, type: key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa', ...digests };
}

// Encoding a key is expensive, and every round compares every key.
const keyDigests = new WeakMap<KeyObject, Pick<ServerKey, 'sha256' | 'sha512'>>();
const encoded = new WeakMap<KeyObject, Uint8Array>();

function spkiOf(key: KeyObject): Uint8Array {
  const spki = encoded.get(key) ?? key.export({ type: 'spki', format: 'der' });
  encoded.set(key, spki);
  return spki;
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code = 'cannot be read' } = cause as NodeJS.ErrnoException;
    throw new HermeticError('publish-key-unreadable', `${file}: ${code}`, {
      cause,
      fix: 'Check the path and its permissions.',
    });
  }
}

/** The private key in a PEM text, if it holds one that is not encrypted. */
export function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function privateKeyOf(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new HermeticError('publish-key-unreadable', `${file}: no private key in PEM`, {
      cause,
      fix: 'Name a file with an unencrypted private key.',
    });
  }
}
