import { formatTime } from '../base/index.js';
import { spkiSha256, type Certificate } from '../x509/index.js';
import type { MailCertificate } from './check-result.js';

/**
 * Returns the facts of a certificate that every result shows. The caller adds verdicts.
 */
export function certificateFacts(
  leafCertificate: Certificate,
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
    keyAlgorithm: leafCertificate.keyAlgorithm,
    keyBits: leafCertificate.keyBits,
    signature: leafCertificate.signatureAlgorithm,
    names: leafCertificate.dnsNames,
    notBefore: formatTime(leafCertificate.notBefore),
    notAfter: formatTime(leafCertificate.notAfter),
    chainAsSent: sent.map((certificate) => certificate.subjectText),
    spkiSha256: spkiSha256(leafCertificate),
  };
}
