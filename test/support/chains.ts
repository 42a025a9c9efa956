import assert from 'node:assert/strict';
import {
  createCa,
  createIntermediate,
  issue,
  type Authority,
  type Issued,
  type IssueOptions,
} from '../../src/pki/index.js';
import {
  parseCertificate,
  trustStore,
  verifyChain,
  type Certificate,
} from '../../src/x509/index.js';

/** The root of all chains in a test file. */
export const root = createCa({ name: 'Root' });
const anchors = trustStore([read(root)]);

/** Returns the certificate as a peer parses it. */
export function read({ der }: { readonly der: Uint8Array }): Certificate {
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.failure.detail);
  return parsed.value;
}

/** Returns a server's certificate for `mx.example`. */
export function server(by: Authority, options: IssueOptions = {}): Issued {
  return issue(by, { names: ['mx.example'], ...options });
}

/** Returns trust, date and problems of a chain below {@link root}, as one line. */
export function verdictOf(sent: readonly { readonly der: Uint8Array }[], at = Date.now()): string {
  const { chain, validity, problems } = verifyChain({
    sent: sent.map(read),
    anchors,
    validationTime: at,
  });
  return [chain, validity, ...problems].join(' ');
}

/** Returns the verdict on a leaf below one CA with an unusual property. */
export function verdictVia(ca: IssueOptions, leaf: IssueOptions = {}): string {
  const issuer = createIntermediate(root, { name: 'Middle', ...ca });
  return verdictOf([server(issuer, leaf), issuer]);
}
