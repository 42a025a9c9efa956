import type { FindingId } from '../findings/catalogue.js';
import type { TrustMechanism } from '../profiles/profile.js';
import type { FindingCollector, FindingInput } from './finding-collector.js';
import type { JudgedCertificate } from './judge-certificate.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';

/**
 * Reports a server that demands SNI, and a fallback certificate that a sender with DANE
 * or MTA-STS would refuse although the sender accepts the certificate presented with SNI.
 */
export function withoutSniRules(
  raised: FindingCollector,
  { withoutSni, certificates }: JudgedAddress,
  subject: FindingInput,
): void {
  if (withoutSni?.answer === 'refused')
    raised.add('tls-sni-required', { ...subject, detail: withoutSni.failure });
  const fallback = withoutSni?.certificate;
  if (!fallback) return;
  const mechanisms = acceptedBy(raised, certificates).filter(
    (mechanism) =>
      !acceptedBy(raised, [fallback]).includes(mechanism) && !isDane(mechanism, fallback),
  );
  if (mechanisms.length === 0) return;
  raised.add('cert-depends-on-sni', {
    ...subject,
    mechanisms,
    detail: fallback.summary.names.slice(0, 3).join(', ') || fallback.certificate.subjectText,
    spkiSha256: fallback.summary.spkiSha256,
  });
}

/**
 * Returns whether DANE authenticates the fallback certificate, by a record of either
 * usage.
 */
function isDane(mechanism: TrustMechanism, { vouchedBy }: JudgedCertificate): boolean {
  return mechanism.startsWith('dane') && vouchedBy !== undefined;
}

/** Returns the mechanisms in force whose senders accept one of the certificates. */
function acceptedBy(
  { evidence: { mtaSts } }: FindingCollector,
  certificates: readonly JudgedCertificate[],
): readonly TrustMechanism[] {
  const mode = mtaSts.policy?.mode;
  return certificates.flatMap(({ summary, vouchedBy }): TrustMechanism[] => [
    ...(summary.mtaSts === 'match' && mode !== undefined && mode !== 'none' ? [mode] : []),
    ...(vouchedBy === undefined ? [] : [vouchedBy]),
  ]);
}

/**
 * Returns the rules of this file, if the check tried no handshake without SNI at an
 * address with TLS: the budget was spent, the server refused further connections, or the
 * evidence is of an earlier version.
 */
export function undecidedWithoutSni(hosts: readonly JudgedHost[]): readonly FindingId[] {
  const isOpen = hosts.some(({ addresses }) =>
    addresses.some(({ connection, withoutSni }) => connection?.handshake && !withoutSni),
  );
  return isOpen ? ['tls-sni-required', 'cert-depends-on-sni'] : [];
}
