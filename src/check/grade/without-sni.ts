import type {
  ConnectionEvidence,
  Evidence,
  HostEvidence,
  MailAddress,
} from '../../evidence/index.js';
import { handshakeFailed } from './session.js';
import { judgeCertificate, type JudgedCertificate } from './judge-certificate.js';

/** The answer of a server to a client that sends no SNI. */
export interface WithoutSni {
  readonly answer: NonNullable<MailAddress['withoutSni']>;
  /**
   * The certificate that the server presented, if it differs from the certificate with
   * SNI.
   */
  readonly certificate?: JudgedCertificate | undefined;
  /** The failure code of a failed handshake. */
  readonly failure?: string | undefined;
}

/**
 * Judges the handshake without SNI; undefined if none was tried or its end proves
 * nothing. The function compares keys and not certificates, since senders accept a
 * renewed certificate with the same key alike.
 */
export function judgeWithoutSni(
  evidence: Evidence,
  host: HostEvidence,
  connections: readonly ConnectionEvidence[],
  certificates: readonly JudgedCertificate[],
): WithoutSni | undefined {
  const seen = connections.find((connection) => connection.withoutSni)?.withoutSni;
  if (seen) {
    const certificate = judgeCertificate(evidence, host, seen);
    if (!certificate) return undefined;
    const isKnown = certificates.some(
      ({ summary }) => summary.spkiSha256 === certificate.summary.spkiSha256,
    );
    return isKnown ? { answer: 'same-key' } : { answer: 'other-key', certificate };
  }
  // A server that also fails with SNI does not demand SNI.
  if (!connections.some(({ handshake }) => handshake)) return undefined;
  const tried = connections.findLastIndex(({ purpose }) => purpose === 'without-sni');
  const code = connections[tried]?.failure?.code;
  const later = connections.slice(tried + 1).filter(({ purpose }) => purpose === 'handshake');
  // If the server now fails with SNI as well, the connections of this check are the
  // cause.
  if (later.length > 0 && !later.some(({ handshake }) => handshake)) return undefined;
  return handshakeFailed(code) ? { answer: 'refused', failure: code } : undefined;
}
