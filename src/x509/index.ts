/**
 * Certificates: read from DER, and judged without a handshake, at any date, against any
 * anchors (RFC 5280, RFC 9525; RFC 7671 §5.2 for DANE-TA).
 *
 * @example const parsed = parsePem('-----BEGIN CERTIFICATE-----'); if (parsed.ok)
 * console.log(verifyChain({ sent: parsed.value, anchors: trustStore([]), at: 0 }).chain);
 */
export type { Certificate, ChainVerdict, NameConstraints } from './types.js';
export { parseCertificate } from './parse-certificate.js';
export { keyUsages } from './certificate-extensions.js';
export { parseChain } from './parse-chain.js';
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
export { explainProblem } from './explain-problem.js';
export { weaklySigned } from './signature-algorithm.js';
export { spkiSha256 } from './spki-sha256.js';
export { x509Failures, type X509FailureCode } from './failures.js';
