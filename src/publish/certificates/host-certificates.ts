import type { KeySlot, RolloverState, ServerKey } from '../tlsa/types.js';
import { covers } from '../tlsa/rrset.js';
import { addressesWithout } from './step-certificates.js';
import type { CertificateReading, DesiredCertificates, HostCertificate } from './types.js';

/**
 * The certificates of a mail host's keys as they stand. `renewed` says when that of a key
 * is renewed.
 */
export function hostCertificates(
  { slots, alive }: Pick<RolloverState, 'slots' | 'alive'>,
  seen: CertificateReading,
  { folder }: DesiredCertificates,
  renewed: (key: string) => number | undefined,
): readonly HostCertificate[] {
  const published = alive.filter(({ gone }) => gone === undefined);
  const one = (
    { name, sha256, sha512, type }: ServerKey,
    use: HostCertificate['use'],
  ): HostCertificate => {
    const key = { name, sha256, sha512, type };
    const certificate = seen.ring.find((held) => held.sha256 === sha256)?.certificate;
    const pinned =
      published.some(({ records }) => records.length > 0) &&
      published.every((rrset) => covers(rrset, key));
    if (!certificate) return { key: name, use, pinned };
    const { issuer, notBefore, notAfter } = certificate;
    const [told, at] = [seen.told[type], renewed(name)];
    const asked =
      seen.addresses.length > 0 && seen.addresses.every(({ shown }) => shown !== 'unknown');
    return {
      key: name,
      use,
      pinned,
      issuer,
      notBefore,
      notAfter,
      ...(at === undefined ? {} : { renewed: at }),
      ...(folder !== undefined && seen.installed?.includes(name)
        ? { installed: `${folder}/${type}` }
        : {}),
      ...(told?.chain === certificate.sha256 ? { told: told.at } : {}),
      ...(asked && use !== 'next'
        ? { shown: addressesWithout(key, certificate, seen).length === 0 }
        : {}),
    };
  };
  return Object.values(slots).flatMap(({ current, next, deploying }: KeySlot) => [
    ...(current ? [one(current, 'in use')] : []),
    ...(next ? [one(next, deploying ? 'being deployed' : 'next')] : []),
  ]);
}
