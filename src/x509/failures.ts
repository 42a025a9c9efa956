import { defineFailures } from '../base/index.js';

const broken = { blame: 'peer', temporary: false } as const;

/**
 * What can be wrong with a certificate, or stand against a path from it to a trust
 * anchor.
 */
export const x509Failures = defineFailures({
  'x509-malformed': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.1',
    message: 'The certificate is not well-formed.',
    fix: 'Have the certificate issued again.',
  },
  'x509-pem-malformed': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7468 §2',
    message: 'The text holds no certificate in PEM form.',
    fix: 'Give a file with BEGIN CERTIFICATE lines.',
  },
  'x509-no-certificate': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 9846 §4.5.1',
    message: 'The server sent no certificate.',
    fix: 'Configure a certificate on the server.',
  },
  'x509-expired': {
    ...broken,
    resultType: 'certificate-expired',
    clause: 'RFC 5280 §4.1.2.5',
    message: 'A certificate of the chain is past its last day.',
    fix: 'Renew the certificate and reload the server.',
  },
  'x509-not-yet-valid': {
    ...broken,
    resultType: 'certificate-expired',
    clause: 'RFC 5280 §4.1.2.5',
    message: 'A certificate of the chain is before its first day.',
    fix: 'Wait for that day, or set the clock right.',
  },
  'x509-self-signed': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message: 'The certificate vouches only for itself.',
    fix: 'Use a certificate from a public CA, or publish its key with DANE.',
  },
  'x509-issuer-missing': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message: 'The issuer of the last certificate is neither sent nor known.',
    fix: "Configure the full chain (the CA's file with intermediates) on the server.",
  },
  'x509-root-distrusted': {
    ...broken,
    resultType: 'certificate-not-trusted',
    message: 'The root is distrusted for certificates issued after a date, and this one is newer.',
    fix: 'Use a certificate from another CA.',
  },
  'x509-unknown-ca': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message: 'The chain ends at a root that is not trusted.',
    fix: 'Use a certificate from a CA that senders trust.',
  },
  'x509-bad-signature': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1.3',
    message: 'A certificate is not signed by the key of the issuer it names.',
    fix: 'Configure the chain that belongs to the certificate.',
  },
  'x509-weak-signature': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 9155 §1',
    message: 'A certificate of the chain is signed with SHA-1 or MD5.',
    fix: 'Have it issued again with SHA-256 or better.',
  },
  'x509-weak-key': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 9325 §4.5',
    message: 'An RSA key of the chain has fewer than 1024 bits.',
    fix: 'Use a key of 2048 bits, or an EC key.',
  },
  'x509-not-a-ca': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.9',
    message: 'A certificate that is not of a CA signed another.',
    fix: 'Have the certificate issued by a CA.',
  },
  'x509-path-too-long': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.9',
    message: 'A CA has more CAs below it than it may.',
    fix: 'Have the certificate issued by a CA that may.',
  },
  'x509-may-not-sign': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.3',
    message: 'A CA signed a certificate with a key that is not meant for that.',
    fix: 'Have the certificate issued by a CA with keyCertSign.',
  },
  'x509-wrong-purpose': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.12',
    message: 'A certificate of the chain is not meant for servers.',
    fix: 'Have it issued for server authentication.',
  },
  'x509-name-not-permitted': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.10',
    message: 'A CA vouched for a name outside its constraints.',
    fix: 'Have the certificate issued by a CA that may vouch for this name.',
  },
  'x509-critical-extension': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2',
    message: 'A certificate has a critical extension that is not understood.',
    fix: 'Have it issued without that extension.',
  },
  'x509-policy': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1.5',
    message: 'A CA requires a certificate policy that the chain does not have.',
    fix: 'Have the certificate issued under the policy that its CA requires.',
  },
  'x509-unnamed-curve': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5480 §2.1.1',
    message: 'An EC key of the chain does not name its curve but writes out parameters.',
    fix: 'Create the key with a named curve, as P-256, and have it certified.',
  },
  'x509-limit': {
    ...broken,
    resultType: 'certificate-not-trusted',
    message: 'The chain needs more work than is spent on one.',
    fix: 'Send only the certificates that belong to the chain.',
  },
});

export type X509FailureCode = keyof typeof x509Failures.entries;
