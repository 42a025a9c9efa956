import { createHash, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HermeticError } from '../base/index.js';
import { createZoneKeyPem, parseZoneKey, type ZoneSigningKey } from '../dns/index.js';
import type { KeyPair } from '../pki/index.js';
import {
  addressesOf,
  openCases,
  type CaseAddresses,
  type SenderCase,
  type SiteData,
} from '../sender/index.js';
import type { SenderTestSettings } from '../sender/settings.js';
import { loadKey, readSecret } from './secrets.js';
import { unwritable } from './writable-folder.js';

/**
 * The keys of a sender test. They must survive a restart, because DS and TLSA records
 * depend on them.
 */
export interface SenderKeys {
  readonly zone: ZoneSigningKey;
  /** The key that all mail hosts share. */
  readonly host: KeyPair;
  /** The key of the private issuer that TLSA records of usage 2 name. */
  readonly issuer: KeyPair;
}

/** An installation of the sender test, from its section and keys. */
export interface SenderSite extends SiteData {
  readonly addresses: CaseAddresses;
  /** The test cases that this installation offers. */
  readonly cases: readonly SenderCase[];
  readonly keys: SenderKeys;
}

/**
 * Reads the keys of the folder, and generates missing keys.
 *
 * @throws HermeticError if a key is missing and the folder cannot be written, or if a key
 * cannot be used
 */
export function openSenderKeys(folder: string): SenderKeys {
  const file = (name: string): string => {
    const path = join(folder, `${name}.pem`);
    if (!existsSync(path)) writeKey(folder, path);
    return path;
  };
  const zonePath = file('zone');
  const zone = parseZoneKey(readSecret(zonePath));
  if (!zone)
    throw new HermeticError('key-unusable', `${zonePath}: it is not a P-256 key`, {
      fix: 'Use the PEM file of a P-256 key, or move the file away: Hermetic then creates a new one.',
    });
  const pair = (name: string): KeyPair => {
    const privateKey = loadKey(file(name));
    return { privateKey, publicKey: createPublicKey(privateKey) };
  };
  return { zone, host: pair('host'), issuer: pair('issuer') };
}

function writeKey(folder: string, path: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path, createZoneKeyPem(), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw unwritable('publish-write-failed', folder, error);
  }
}

/** Returns the installation of the sender test that a section and its keys describe. */
export function senderSite(settings: SenderTestSettings, keys: SenderKeys): SenderSite {
  const { zone, nameServers, policyAddresses, reportUri } = settings;
  const cases = openCases(settings);
  const addresses = addressesOf(settings);
  return {
    zone,
    nameServers,
    policyAddresses,
    reportUri,
    mailAddresses: (senderCase, slot) => addresses.of(senderCase, slot),
    keyDigest: digestOf(keys.host),
    issuerDigest: digestOf(keys.issuer),
    addresses,
    cases,
    keys,
  };
}

/** Returns the SHA-256 digest of a public key for TLSA records 3 1 1 and 2 1 1. */
function digestOf({ publicKey }: KeyPair): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
