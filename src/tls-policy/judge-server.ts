import { ok, type Failure, type Result } from '../base/index.js';
import { parseTlsa, verifyDane } from '../dane/index.js';
import {
  matchesDnsName,
  parseChain,
  verifyChain,
  type Certificate,
  type ChainVerdict,
  type TrustStore,
} from '../x509/index.js';
import type { HostDecision } from './domain-decision.js';
import { serverFailures } from './failures.js';

/** A certificate chain to judge, and the requirements of the decision. */
export interface ServerQuestion {
  /** DER, as the server sent it. */
  readonly chain: readonly Uint8Array[];
  readonly host: Pick<HostDecision, 'name' | 'tlsa' | 'referenceNames'>;
  readonly anchors: TrustStore;
  /** Date of the judgement, milliseconds since 1970. */
  readonly at: number;
}

/** The result of authenticating a server, by mechanism. */
export interface ServerVerdict {
  readonly leaf?: Certificate;
  /** The certificate chain of the server, in the order sent. */
  readonly sent: readonly Certificate[];
  readonly path: ChainVerdict;
  /** Whether the leaf certificate is for the name of the MX host. */
  readonly nameMatch: boolean;
  /**
   * Whether the chain is trusted, in date and for the name of the MX host (RFC 8461
   * §4.2).
   */
  readonly pkix: Result<true>;
  /** Whether a usable TLSA record matches (RFC 7672 §3). */
  readonly dane: Result<true>;
}

/**
 * Verifies the certificate chain of a handshake for PKIX and for DANE, independently of
 * each other: DANE-EE ignores names, dates and CAs (RFC 7672 §3.1.1), so that one result
 * proves nothing about the other.
 */
export function judgeServer({ chain, host, anchors, at }: ServerQuestion): ServerVerdict {
  const sent = parseChain(chain);
  const path = verifyChain({ sent, anchors, validationTime: at });
  const [leafCertificate] = sent;
  const records =
    host.tlsa.status === 'usable' ? host.tlsa.records.flatMap((text) => parseTlsa(text) ?? []) : [];
  if (!leafCertificate) {
    const none = failed('server-no-certificate');
    return { sent, path, nameMatch: false, pkix: none, dane: none };
  }
  const names = host.referenceNames;
  return {
    leaf: leafCertificate,
    sent,
    path,
    // The MX host. Only DANE-TA uses the other reference identifiers.
    nameMatch: matchesDnsName(leafCertificate, host.name),
    pkix: judgePkix(leafCertificate, path, host.name),
    dane: judgeDane(verifyDane({ records, chain: sent, names, validationTime: at })),
  };
}

/**
 * Returns the PKIX fault that the operator has to fix first; undefined if there is no
 * fault. [8461-4.2-1]
 */
function judgePkix(
  leafCertificate: Certificate,
  { chain, validity, problems }: ChainVerdict,
  name: string,
): Result<true> {
  if (chain !== 'trusted') return failed('server-pkix-untrusted', problems.join(' '));
  if (validity !== 'valid') return failed('server-pkix-expired', validity);
  if (problems.length > 0) return failed('server-pkix-untrusted', problems.join(' '));
  return matchesDnsName(leafCertificate, name)
    ? ok(true)
    : failed('server-pkix-name', leafCertificate.dnsNames.slice(0, 10).join(' '));
}

function judgeDane({ verdict, records }: ReturnType<typeof verifyDane>): Result<true> {
  if (verdict === 'match') return ok(true);
  const reasons = records.map(({ reason }) => reason);
  // The failure of the most nearly matching record is the fault that the operator has to
  // fix.
  if (reasons.includes('name')) return failed('server-dane-name');
  return failed(reasons.includes('date') ? 'server-dane-expired' : 'server-dane-mismatch');
}

function failed(
  code: keyof typeof serverFailures.entries,
  detail = '',
): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: serverFailures.make(code, detail) };
}
