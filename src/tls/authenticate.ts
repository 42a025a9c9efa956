import { fail, ok, type Failure, type Result } from '../base/index.js';
import type { Connection } from '../net/index.js';
import {
  accepts,
  matchesDnsName,
  parseCertificate,
  verifyChain,
  type ChainVerdict,
  type TrustStore,
} from '../x509/index.js';
import { tlsFailures } from './failures.js';
import { handshake, type HandshakeFacts, type HandshakeRequest } from './handshake.js';

/** Who a server has to be. */
export interface ServerIdentity {
  /** Its name, which is also sent in SNI. */
  readonly serverName: string;
  readonly anchors: TrustStore;
  /** Date at which the certificate is judged, milliseconds since 1970. */
  readonly validationTime: number;
}

export interface Authenticated {
  readonly connection: Connection;
  readonly facts: HandshakeFacts;
  readonly chainVerdict: ChainVerdict;
}

/**
 * A handshake of TLS 1.2 or newer with the server of that name and no other: trusted
 * chain, in date, name among the certificate's DNS names. On failure the connection is
 * closed; `tls-certificate-*` when it is the certificate. Rejects only with
 * `signal.reason`.
 */
export async function authenticate(
  request: HandshakeRequest & ServerIdentity,
): Promise<Result<Authenticated>> {
  const shaken = await handshake({ minVersion: 'TLSv1.2', ...request });
  if (!shaken.ok) return shaken;
  const judged = authenticateServer(shaken.facts.chain, request);
  if (judged.ok)
    return ok({ connection: shaken.connection, facts: shaken.facts, chainVerdict: judged.value });
  shaken.connection.close();
  return judged;
}

/**
 * Judges a chain as sent, DER, for a server of that name. Nothing but the certificate's
 * DNS names counts [8461-3.3-1, 8461-3.3-3].
 */
export function authenticateServer(
  chain: readonly Uint8Array[],
  { serverName, anchors, validationTime }: ServerIdentity,
): Result<ChainVerdict> {
  const [leaf, ...rest] = chain.map(parseCertificate);
  const untrusted = (detail: string): Result<never, Failure> =>
    fail(tlsFailures.make('tls-certificate-untrusted', detail));
  if (!leaf?.ok) return untrusted(leaf ? leaf.failure.code : 'x509-no-certificate');
  const sent = [leaf.value, ...rest.flatMap((parsed) => (parsed.ok ? [parsed.value] : []))];
  const verdict = verifyChain({ sent, anchors, validationTime });
  if (verdict.chain !== 'trusted') return untrusted(verdict.problems.join(' '));
  if (verdict.validity !== 'valid')
    return fail(tlsFailures.make('tls-certificate-expired', verdict.validity));
  if (!accepts(verdict)) return untrusted(verdict.problems.join(' '));
  if (!matchesDnsName(leaf.value, serverName))
    return fail(tlsFailures.make('tls-certificate-name', leaf.value.subjectText));
  return ok(verdict);
}
