/**
 * Certificates: parsed from DER, and validated without a handshake, at any time and
 * against any trust anchors (RFC 5280, RFC 9525; RFC 7671 §5.2 for DANE-TA).
 *
 * OpenSSL validates a chain inside a handshake, against one set of roots, at the current
 * time. This project must answer other questions: was a saved chain valid on the day of
 * the check, does a TLSA record anchor it, which certificate is at fault, and would
 * another set of roots accept it? So validation is a pure function of chain, anchors and
 * time.
 *
 * - `parseCertificate` reads one certificate strictly. A malformed extension is a defect
 *   that excludes the certificate from every path. Its key can still match a DANE-EE
 *   record.
 * - `verifyChain` searches for a path to a trust anchor (RFC 4158) and applies RFC 5280
 *   §6.1: signatures, dates, basic constraints, name constraints, policies. Trust and
 *   dates are separate results.
 * - `findPathTo` searches for a path to anchors inside the chain, for usage 2 of DANE.
 * - `matchesDnsName` compares a reference identifier with the DNS names of the
 *   certificate. The common name is ignored.
 * - `explainProblem` names the certificate and the value at fault.
 *
 * Peers choose these inputs, so every search has a limit in steps, paths and signatures.
 * Revocation is not checked: senders of mail do not check it either.
 *
 * @example
 * ```ts
 * const parsed = parsePem('-----BEGIN CERTIFICATE-----');
 * if (parsed.ok)
 *   console.log(
 *     verifyChain({ sent: parsed.value, anchors: trustStore([]), validationTime: 0 })
 *       .chain,
 *   );
 * ```
 */
export type { Certificate, ChainVerdict, NameConstraints } from './types.js';
export { parseCertificate, parseChain } from './parse-certificate.js';
export { keyUsages } from './certificate-extensions.js';
export { parsePem, parsePemBundle } from './pem.js';
export {
  trustStore,
  type StoreIdentity,
  type TrustStore,
  type TrustStoreDetails,
} from './trust-store.js';
export type { RootRow } from './root-store/root-row.js';
export {
  identifyRoots,
  joinTrustStores,
  namedTrustStore,
  readRoots,
  type RootList,
} from './root-store/read-roots.js';
export {
  verifyChain,
  findPathTo,
  accepts,
  type VerifyChainRequest,
  type AnchoredQuestion,
} from './verify-chain.js';
export { SearchWork } from './find-paths.js';
export { verifySignedBy } from './verify-signed-by.js';
export { matchesDnsName } from './matches-dns-name.js';
export { caaIssuersOf } from './caa-issuers-registry.js';
export { explainProblem } from './explain-problem.js';
export { weaklySigned } from './signature-algorithm.js';
export { spkiSha256 } from './public-key.js';
export { x509Failures, type X509FailureCode } from './failures.js';
