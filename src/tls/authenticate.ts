import { fail, ok, type Failure, type Result } from '../base/index.js';
import type { Connection } from '../net/index.js';
import {
  accepts,
  explainProblem,
  matchesDnsName,
  parseCertificate,
  verifyChain,
  type Certificate,
  type ChainVerdict,
  type TrustStore,
} from '../x509/index.js';
import { tlsFailures } from './failures.js';
import { handshake, type HandshakeFacts, type HandshakeRequest } from './handshake.js';
import { senderGroups } from './sender-groups.js';

/** The identity that a server must prove. */
export interface ServerIdentity {
  /** The host name, which is also sent in SNI. */
  readonly serverName: string;
  readonly anchors: TrustStore;
  /** Time at which the certificate must be valid, milliseconds since 1970. */
  readonly validationTime: number;
}

/**
 * A connection whose server proved its identity.
 *
 * A policy that requires PKIX authentication permits mail over this connection.
 */
export interface Authenticated {
  readonly connection: Connection;
  readonly facts: HandshakeFacts;
  readonly chainVerdict: ChainVerdict;
}

/**
 * Completes a handshake of TLS 1.2 or later and authenticates the server: trusted chain,
 * valid dates, and the name among the DNS names of the certificate. The key exchange is
 * post-quantum if both ends support it. On failure the connection is closed;
 * `tls-certificate-*` codes report a fault of the certificate. Rejects only with
 * `signal.reason`.
 */
export async function authenticate(
  request: HandshakeRequest & ServerIdentity,
): Promise<Result<Authenticated>> {
  const shaken = await handshake({
    minVersion: 'TLSv1.2',
    groups: senderGroups(),
    ...request,
  });
  if (!shaken.ok) return shaken;
  const judged = authenticateServer(shaken.facts.chain, request);
  if (judged.ok)
    return ok({ connection: shaken.connection, facts: shaken.facts, chainVerdict: judged.value });
  shaken.connection.close();
  return judged;
}

/**
 * Authenticates a server by its chain (DER, in the order sent). Only the DNS names of the
 * certificate are compared, not the common name [8461-3.3-1, 8461-3.3-3].
 */
export function authenticateServer(
  certificateChain: readonly Uint8Array[],
  { serverName, anchors, validationTime }: ServerIdentity,
): Result<ChainVerdict> {
  const [leafCertificate, ...rest] = certificateChain.map(parseCertificate);
  const untrusted = (detail: string): Result<never, Failure> =>
    fail(tlsFailures.make('tls-certificate-untrusted', detail));
  if (!leafCertificate?.ok)
    return untrusted(leafCertificate ? leafCertificate.failure.code : 'x509-no-certificate');
  const sent = [
    leafCertificate.value,
    ...rest.flatMap((parsed) => (parsed.ok ? [parsed.value] : [])),
  ];
  // Chain, dates and name are reported separately, because each has a different fix.
  const verdict = verifyChain({ sent, anchors, validationTime });
  const explained = (): string =>
    verdict.problems.map((code) => explainProblem(code, sent)).join('; ');
  if (verdict.chain !== 'trusted') return untrusted(explained());
  if (verdict.validity !== 'valid')
    return fail(tlsFailures.make('tls-certificate-expired', verdict.validity));
  if (!accepts(verdict)) return untrusted(explained());
  if (!matchesDnsName(leafCertificate.value, serverName))
    return fail(tlsFailures.make('tls-certificate-name', namesOf(leafCertificate.value)));
  return ok(verdict);
}

/** Returns the DNS names of a certificate, at most three. */
function namesOf({ dnsNames }: Certificate): string {
  if (dnsNames.length === 0) return 'it has no DNS name in subjectAltName';
  return `it names ${dnsNames.slice(0, 3).join(', ')}`;
}
