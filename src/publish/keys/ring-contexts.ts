import { readFileSync, statSync } from 'node:fs';
import type { ContextSource } from './lazy-contexts.js';
import type { KeyRing } from './key-ring.js';

/**
 * Clients choose the server name of a handshake. Only valid host names are looked up, so
 * no other text reaches the file system.
 */
const hostNamePattern = /^[a-z0-9_]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;

/**
 * Returns the certificates of policy hosts from the key ring:
 * `FOLDER/mta-sts.DOMAIN/ecdsa-1.pem`. Modification time and size are the version.
 */
export function ringContexts(keyRing: KeyRing): ContextSource {
  const name = 'ecdsa-1';
  return {
    version(host) {
      if (host.length > 253 || !hostNamePattern.test(host)) return undefined;
      try {
        const { mtimeMs, size } = statSync(keyRing.chainFile(host, name));
        return `${mtimeMs} ${size}`;
      } catch {
        return undefined;
      }
    },
    load: (host) => ({
      chain: readFileSync(keyRing.chainFile(host, name), 'utf8'),
      key: readFileSync(keyRing.keyFile(host, name), 'utf8'),
    }),
  };
}
