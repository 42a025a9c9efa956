import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HermeticError } from '../../base/index.js';
import type { KeyType } from '../actions.js';
import type { ServerKey } from '../rollover/types.js';
import { nodeDisk, replaceFile, writeOnce, type Disk } from './durable-file.js';

/** A key of the ring. `certified`: its chain is at hand and in date. */
export type RingKey = ServerKey & { readonly certified: boolean };

/**
 * Private keys on this machine, `FOLDER/HOST/NAME.key` in PKCS #8 and beside it `NAME.pem`, the chain of its certificate. Files are made whole or not at all,
 * and a name is given once: making a key again gives the one that is there.
 */
export class KeyRing {
  constructor(
    readonly folder: string,
    readonly disk: Disk = nodeDisk,
  ) {}

  /** Makes a key, or leaves the one of that name as it is: P-256, or RSA of 2048 bits [9325-4.5-1]. */
  make(host: string, name: string, type: KeyType): void {
    const path = this.keyFile(host, name);
    if (existsSync(path)) return;
    const { privateKey } =
      type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeOnce(path, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600, this.disk);
  }

  /** All keys of a host, by name. `now` (milliseconds) is the date certificates are judged by. */
  list(host: string, now: number): readonly RingKey[] {
    const folder = join(this.folder, host);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith('.key'))
      .sort()
      .map((entry) => {
        const name = entry.slice(0, -4);
        const key = this.publicKey(host, name);
        return { ...serverKey(name, key), certified: this.#isCertified(host, name, key, now) };
      });
  }

  /** Takes a key that a server has already into the ring, unless it is there. Throws HermeticError when the file holds no private key. */
  adopt(host: string, file: string): void {
    const pem = readPem(file);
    const digest = serverKey('', createPublicKey(privateKeyOf(pem, file))).sha256;
    if (this.list(host, 0).some(({ sha256 }) => sha256 === digest)) return;
    writeOnce(
      this.keyFile(host, `adopted-${digest.slice(0, 8)}-0`),
      privateKeyOf(pem, file).export({ type: 'pkcs8', format: 'pem' }) as string,
      0o600,
      this.disk,
    );
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

  /** Puts a chain beside its key, in the place of the one before; a reader finds the old or the new. */
  putChain(host: string, name: string, pem: string): void {
    replaceFile(this.chainFile(host, name), pem, 0o644, this.disk);
  }

  publicKey(host: string, name: string): KeyObject {
    return createPublicKey(this.privateKey(host, name));
  }

  privateKey(host: string, name: string): KeyObject {
    const file = this.keyFile(host, name);
    return privateKeyOf(readPem(file), file);
  }

  #isCertified(host: string, name: string, key: KeyObject, now: number): boolean {
    const file = this.chainFile(host, name);
    if (!existsSync(file)) return false;
    try {
      const leaf = new X509Certificate(readPem(file));
      return leaf.publicKey.equals(key) && Date.parse(leaf.validTo) > now;
    } catch {
      return false;
    }
  }
}

/** What TLSA says of a public key. */
export function serverKey(name: string, key: KeyObject): ServerKey {
  const spki = key.export({ type: 'spki', format: 'der' });
  const digest = (hash: string): string => createHash(hash).update(spki).digest('hex');
  return { name, type: key.asymmetricKeyType === 'rsa' ? 'rsa' : 'ecdsa', sha256: digest('sha256'), sha512: digest('sha512') };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code = 'cannot be read' } = cause as NodeJS.ErrnoException;
    throw new HermeticError('publish-key-unreadable', `${file}: ${code}`, { cause, fix: 'Check the path and its permissions.' });
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
