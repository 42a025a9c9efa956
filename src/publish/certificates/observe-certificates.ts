import type { MailAddress, MailHost } from '../../evidence/index.js';
import type { KeyRing, RingKey } from '../keys/key-ring.js';
import { isInstalled } from './install-pair.js';
import type { HostMemory } from '../ledger/ledger.js';
import type { CertificateObservation } from './types.js';

/** The sources for the observation of a mail host's certificates. */
export interface CertificateSources {
  readonly ring: KeyRing;
  /** The chains of the last reload of the server, by key type. */
  readonly reloaded: HostMemory['told'];
  /**
   * The check of the host by this program; undefined if the host has no address or could
   * not be found.
   */
  readonly probed: MailHost | undefined;
  /** The folder that the server of the host reads. */
  readonly folder: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * Observes the certificates of a mail host: in the ring, in the folder that its server
 * reads, and at every address.
 */
export function observeCertificates(
  hostName: string,
  { ring, reloaded, probed, folder, at }: CertificateSources,
): CertificateObservation {
  const ringKeys = ring.list(hostName, at);
  const addresses = (probed?.addresses ?? []).map(shownCertificates);
  if (folder === undefined) return { at, ring: ringKeys, reloaded, addresses };
  const isKeyInstalled = ({ name, type, certificate }: RingKey): boolean =>
    certificate !== undefined && isInstalled(folder, type, ring.pair(hostName, name));
  const installed = ringKeys.filter(isKeyInstalled).map(({ name }) => name);
  return { at, ring: ringKeys, installed, reloaded, addresses };
}

function shownCertificates({
  ip,
  status,
  certificates,
}: MailAddress): CertificateObservation['addresses'][number] {
  if (status !== 'reachable' || certificates.length === 0) return { address: ip, shown: 'unknown' };
  const shown = certificates.map(({ spkiSha256, notBefore, notAfter }) => ({
    key: spkiSha256,
    notBefore: Date.parse(notBefore),
    notAfter: Date.parse(notAfter),
  }));
  return { address: ip, shown };
}
