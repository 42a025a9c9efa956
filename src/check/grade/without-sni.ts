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
  /** The certificate that it showed, if that is another one. */
  readonly certificate?: JudgedCertificate | undefined;
  /** Why the handshake failed, as a failure code. */
  readonly failure?: string | undefined;
}

/**
 * Judges the handshake without SNI; undefined if none was tried or its end says
 * nothing. Keys are compared, not certificates: a renewed certificate with the same key is
 * the same to a sender.
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
  // A server that completes no handshake with SNI either does not demand it.
  if (!connections.some(({ handshake }) => handshake)) return undefined;
  const tried = connections.findLastIndex(({ purpose }) => purpose === 'without-sni');
  const code = connections[tried]?.failure?.code;
  const later = connections.slice(tried + 1).filter(({ purpose }) => purpose === 'handshake');
  // A server that now fails with SNI too reacts to the connections of this check.
  if (later.length > 0 && !later.some(({ handshake }) => handshake)) return undefined;
  return handshakeFailed(code) ? { answer: 'refused', failure: code } : undefined;
}
