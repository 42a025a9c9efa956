/**
 * Keys and certificates, made: roots, intermediates and servers, right or wrong in any
 * way one asks for (RFC 5280). Written straight in DER, so that what no proper CA would
 * sign can be made as well.
 *
 * @example const root = createCa({ name: 'Example Root' }); const server =
 * issue(createIntermediate(root, { name: 'Example CA' }), { names: ['mx.example.com'] });
 * console.log(server.chain.length); // 2: what the server sends
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
