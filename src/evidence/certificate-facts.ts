import { formatTime } from '../base/index.js';
import { spkiSha256, type Certificate } from '../x509/index.js';
import type { MailCertificate } from './check-result.js';

/**
 * Returns the facts of a certificate that every result shows. Verdicts are added
 * elsewhere.
 */
export function certificateFacts(
  leaf: Certificate,
  sent: readonly Certificate[],
): Pick<
  MailCertificate,
  | 'keyAlgorithm'
  | 'keyBits'
  | 'signature'
  | 'names'
  | 'notBefore'
  | 'notAfter'
  | 'chainAsSent'
  | 'spkiSha256'
> {
  return {
    keyAlgorithm: leaf.keyAlgorithm,
    keyBits: leaf.keyBits,
    signature: leaf.signatureAlgorithm,
    names: leaf.dnsNames,
    notBefore: formatTime(leaf.notBefore),
    notAfter: formatTime(leaf.notAfter),
    chainAsSent: sent.map((certificate) => certificate.subjectText),
    spkiSha256: spkiSha256(leaf),
  };
}
