/**
 * Makes keys and X.509 certificates (RFC 5280): roots, intermediates, server
 * certificates, and certificate requests (RFC 2986).
 *
 * This part has two users. The lab and the tests build certificates that a verifier has
 * to accept or refuse: expired, for another name, with a weak signature, with a
 * constraint that the chain violates. Therefore this part checks nothing, and a caller
 * can set each field to an invalid value. `publish` makes the self-signed certificate of
 * a host that uses DANE-EE records only (RFC 7672 §3.1.1), the certificate of a
 * tls-alpn-01 challenge (RFC 8737), and the certificate request of an ACME order.
 *
 * The DER is written directly, since no library writes invalid certificates. Verification
 * is in `x509`. Private keys stay in memory; `publish` saves them.
 *
 * @example
 * ```ts
 * const root = createCa({ name: 'Example Root' });
 * const server = issue(createIntermediate(root, { name: 'Example CA' }), {
 *   names: ['mx.example.com'],
 * });
 * console.log(server.chain.length); // 2: what the server sends
 * ```
 */
export {
  createCa,
  createIntermediate,
  distinguishedName,
  issue,
  selfSigned,
  purpose,
  type Authority,
  type Issued,
  type IssueOptions,
} from './issue.js';
export { certificateRequest } from './certificate-request.js';
export { generateKey, type KeyAlgorithm, type KeyPair } from './key-pair.js';
export type { SignatureHash } from './signature-algorithm.js';
export { altName, type AltName, type KeyUsage, type Subtrees } from './extensions.js';
export * as der from './der-writer.js';
