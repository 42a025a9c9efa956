import type { MailHost } from '../../evidence/index.js';
import type { KeyRing, RingKey } from '../keys/key-ring.js';
import { isInstalled } from './install-pair.js';
import type { HostMemory } from '../ledger/ledger.js';
import type { CertificateReading } from './types.js';

export interface CertificateSources {
  readonly ring: KeyRing;
  readonly told: HostMemory['told'];
  /**
   * Our own check of the host; undefined when it has no address or could not be found.
   */
  readonly probed: MailHost | undefined;
  /** Where its server reads its files. */
  readonly folder: string | undefined;
  readonly at: number;
}

/**
 * What certificates of a mail host there are: in the ring, in the folder its server
 * reads, and at every address.
 */
export function readCertificates(
  host: string,
  { ring, told, probed, folder, at }: CertificateSources,
): CertificateReading {
  const keys = ring.list(host, at);
  const isThere = ({ name, type, certificate }: RingKey): boolean =>
    folder !== undefined &&
    certificate !== undefined &&
    isInstalled(folder, type, ring.pair(host, name));
  const addresses = (probed?.addresses ?? []).map(({ ip, status, certificates }) => ({
    address: ip,
    shown:
      status === 'reachable' && certificates.length > 0
        ? certificates.map((c) => ({
            key: c.spkiSha256,
            notBefore: Date.parse(c.notBefore),
            notAfter: Date.parse(c.notAfter),
          }))
        : ('unknown' as const),
  }));
  return {
    at,
    ring: keys,
    told,
    addresses,
    ...(folder === undefined ? {} : { installed: keys.filter(isThere).map(({ name }) => name) }),
  };
}
