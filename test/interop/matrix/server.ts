import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server as Listener } from 'node:net';
import type { Endpoint } from '../../../src/net/index.js';
import { greets, until, type Daemon } from '../process.js';
import { createCa, createIntermediate, issue, type Issued } from '../../../src/pki/index.js';

/** The domain whose mail hosts are the servers. */
export const DOMAIN = 'matrix.example';

/** A running server of the matrix: its SMTP endpoint. */
export interface Server {
  /** The label of its MX host below {@link DOMAIN}. */
  readonly name: string;
  readonly at: Endpoint;
}

/** One kind of software with the servers it runs. */
export interface Software {
  readonly servers: readonly Server[];
  log(): string;
  stop(): Promise<void>;
}

/**
 * The common setup of the servers: a folder, and one certificate with an RSA and one with
 * a P-256 key, valid for every host of the matrix.
 */
export interface Site {
  readonly folder: string;
  readonly root: Issued;
  readonly rsa: Certificate;
  readonly ecdsa: Certificate;
}

/** A certificate with its chain and key, and the file that holds key and chain. */
export interface Certificate extends Issued {
  readonly file: string;
}

export function createSite(folder: string): Site {
  const root = createCa({ name: 'Matrix Root' });
  const intermediate = createIntermediate(root, { name: 'Matrix CA' });
  const certificate = (algorithm: 'rsa-2048' | 'p256'): Certificate => {
    const issued = issue(intermediate, { names: [`*.${DOMAIN}`], algorithm });
    const file = join(folder, `${algorithm}.pem`);
    writeFileSync(file, issued.keyPem + issued.chainPem);
    return { ...issued, file };
  };
  return { folder, root, rsa: certificate('rsa-2048'), ecdsa: certificate('p256') };
}

/** Returns a separate folder for one kind of software. */
export function folderFor(site: Site, name: string): string {
  const folder = join(site.folder, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Resolves to the daemons of one kind of software when all their servers send a greeting.
 */
export async function started(
  servers: readonly Server[],
  daemons: readonly Daemon[],
  listeners: readonly Listener[] = [],
): Promise<Software> {
  const log = (): string => daemons.map((daemon) => daemon.log).join('\n');
  const stop = async (): Promise<void> => {
    listeners.forEach((listener) => listener.close());
    await Promise.all(daemons.map((daemon) => daemon.stop()));
  };
  try {
    for (const { name, at } of servers) await until(name, () => greets(at.address, at.port), log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { servers, log, stop };
}
