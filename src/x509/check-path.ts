import type { X509FailureCode } from './failures.js';
import type { CandidatePath } from './find-paths.js';
import { namesPermitted } from './name-constraints.js';
import { policiesAllow } from './policies-allow.js';
import { hasWeakKey, readPublicKey } from './public-key.js';
import { restsOnSha1, weaklySigned } from './signature-algorithm.js';
import type { Certificate, ChainVerdict } from './types.js';

/** Purpose: TLS server (RFC 5280 §4.2.1.12). */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** Purpose: any. */
const ANY_PURPOSE = '2.5.29.37.0';

/** The result of {@link checkPath}. */
export interface PathJudgement {
  /** The faults that make the path invalid, apart from dates. */
  readonly problems: readonly X509FailureCode[];
  /** Warnings about a valid path: SHA-1. */
  readonly remarks: readonly X509FailureCode[];
  readonly validity: ChainVerdict['validity'];
}

/**
 * Validates a path whose signatures have been verified (RFC 5280 §6.1), for a TLS server
 * at the time `instant` (milliseconds since 1970).
 */
export function checkPath(candidate: CandidatePath, instant: number): PathJudgement {
  const { certificates, key, distrustAfter = Infinity } = candidate;
  const problems = new Set<X509FailureCode>();
  const remarks = new Set<X509FailureCode>();
  const anchorAt = key ? -1 : certificates.length - 1;
  certificates.forEach((certificate, nestingDepth) => {
    const below = certificates.slice(0, nestingDepth);
    const isAnchor = nestingDepth === anchorAt;
    if (nestingDepth === 0) checkServer(certificate, problems);
    else checkIssuer(certificate, below, isAnchor, problems);
    checkForm(certificate, isAnchor, problems);
    if (!serves(certificate)) problems.add('x509-wrong-purpose');
    if (!isAnchor && weaklySigned(certificate))
      (restsOnSha1(certificate) ? remarks : problems).add('x509-weak-signature');
  });
  if (key && readPublicKey(key).unnamedCurve) problems.add('x509-unnamed-curve');
  // Mozilla compares the distrust date with the leaf's notBefore, not with the current
  // time.
  const [leafCertificate] = certificates;
  if (leafCertificate && leafCertificate.notBefore > distrustAfter)
    problems.add('x509-root-distrusted');
  const anchor = certificates[anchorAt];
  if (!policiesAllow(key ? certificates : certificates.slice(0, -1), anchor))
    problems.add('x509-policy');
  return {
    problems: [...problems],
    remarks: [...remarks],
    validity: validityOf(certificates, instant),
  };
}

/**
 * Returns the validity of the whole path, which is valid only while every certificate is
 * valid. The dates of the server's own certificate are compared first. Validity includes
 * its last second (RFC 5280 §4.1.2.5 [5280-4.1.2.5-1]).
 */
export function validityOf(
  certificates: readonly Certificate[],
  instant: number,
): ChainVerdict['validity'] {
  for (const { notBefore, notAfter } of certificates) {
    if (Math.floor(instant / 1000) * 1000 > notAfter) return 'expired';
    if (instant < notBefore) return 'not-yet-valid';
  }
  return 'valid';
}

/**
 * Applies the rules for every certificate of the path. The rules also apply to an anchor,
 * which is trusted only for its name and key.
 */
function checkForm(
  certificate: Certificate,
  isAnchor: boolean,
  problems: Set<X509FailureCode>,
): void {
  const { issuerName, unnamedCurve } = certificate;
  if (certificate.defects.length > 0) problems.add('x509-malformed');
  // RFC 5280 §4.1.2.4: an issuer must have a name, because otherwise any two CAs without
  // names would chain.
  if (!isAnchor && issuerName.rdns.length === 0) problems.add('x509-malformed');
  // [5280-4.2-1]
  if (certificate.criticalUnknown.length > 0) problems.add('x509-critical-extension');
  if (hasWeakKey(certificate)) problems.add('x509-weak-key');
  // [5480-2.1.1-1]
  if (unnamedCurve) problems.add('x509-unnamed-curve');
}

/** Requires a key usage with which a TLS server can prove possession of its key. */
function checkServer({ keyUsage }: Certificate, problems: Set<X509FailureCode>): void {
  const useful = ['digitalSignature', 'keyEncipherment', 'keyAgreement'];
  if (keyUsage && !keyUsage.some((usage) => useful.includes(usage)))
    problems.add('x509-wrong-purpose');
}

/**
 * Applies the rules for a certificate that issues the next certificate of the path (RFC
 * 5280 §6.1.4).
 */
function checkIssuer(
  issuer: Certificate,
  below: readonly Certificate[],
  isAnchor: boolean,
  problems: Set<X509FailureCode>,
): void {
  // A root of version 1 has no extensions, so its place in the trust store makes it a CA.
  if (!issuer.ca && !(isAnchor && issuer.version === 1)) problems.add('x509-not-a-ca');
  if (issuer.keyUsage && !issuer.keyUsage.includes('keyCertSign'))
    problems.add('x509-may-not-sign');
  // [5280-4.2.1.9-1]
  const intermediates = below.slice(1).filter((certificate) => !certificate.selfIssued).length;
  // The constraints of an anchor also apply (RFC 7672 §3.1.2 [7672-3.1.2-1]).
  if (issuer.pathLength !== undefined && intermediates > issuer.pathLength)
    problems.add('x509-path-too-long');
  const { nameConstraints } = issuer;
  if (!nameConstraints) return;
  const bound = below.filter(
    (certificate, nestingDepth) => nestingDepth === 0 || !certificate.selfIssued,
  );
  if (!bound.every((certificate) => namesPermitted(certificate, nameConstraints)))
    problems.add('x509-name-not-permitted');
}

/**
 * Returns true if the certificate lists no purposes, or lists TLS servers among them. A
 * list in a CA certificate also restricts the certificates below the CA, as in the
 * practice of CAs and browsers.
 */
function serves({ extendedKeyUsage }: Certificate): boolean {
  return (
    !extendedKeyUsage ||
    extendedKeyUsage.includes(SERVER_AUTH) ||
    extendedKeyUsage.includes(ANY_PURPOSE)
  );
}
