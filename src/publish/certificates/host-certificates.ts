import type { KeySlot, TlsaRolloverState, ServerKey } from '../tlsa/types.js';
import { covers } from '../tlsa/rrset.js';
import { addressesWithout } from './step-certificates.js';
import type { CertificateObservation, DesiredCertificates, HostCertificate } from './types.js';

/**
 * Returns the certificates of a mail host's keys, for a status report. `renewalAt`
 * returns the renewal time of a key's certificate. Pure.
 */
export function hostCertificates(
  { slots, alive: cached }: Pick<TlsaRolloverState, 'slots' | 'alive'>,
  observed: CertificateObservation,
  { folder }: DesiredCertificates,
  renewalAt: (identity: string) => number | undefined,
): readonly HostCertificate[] {
  const published = cached.filter(({ gone }) => gone === undefined);
  const isPinned = (serverKey: ServerKey): boolean =>
    published.some(({ records }) => records.length > 0) &&
    published.every((cachedRrset) => covers(cachedRrset, serverKey));
  const certificateOf = (serverKey: ServerKey, use: HostCertificate['use']): HostCertificate => {
    const { name, type } = serverKey;
    const pinned = isPinned(serverKey);
    const certificate = observed.ring.find(
      ({ sha256 }) => sha256 === serverKey.sha256,
    )?.certificate;
    if (!certificate) return { key: name, use, pinned };
    const { issuer, notBefore, notAfter } = certificate;
    const reload = observed.reloaded[type];
    const isInstalled = folder !== undefined && observed.installed?.includes(name);
    const isProbed =
      observed.addresses.length > 0 && observed.addresses.every(({ shown }) => shown !== 'unknown');
    const isExpected = isProbed && use !== 'next';
    return {
      key: name,
      use,
      pinned,
      issuer,
      notBefore,
      notAfter,
      renewed: renewalAt(name),
      installed: isInstalled ? `${folder}/${type}` : undefined,
      told: reload?.chain === certificate.sha256 ? reload.at : undefined,
      shown: isExpected
        ? addressesWithout(serverKey, certificate, observed).length === 0
        : undefined,
    };
  };
  return Object.values(slots).flatMap(({ current, next, deploying }: KeySlot) => {
    const certificates: HostCertificate[] = [];
    if (current) certificates.push(certificateOf(current, 'in use'));
    if (next) certificates.push(certificateOf(next, deploying ? 'being deployed' : 'next'));
    return certificates;
  });
}
