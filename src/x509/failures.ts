import { defineFailures } from '../base/index.js';

const broken = { blame: 'peer', temporary: false } as const;

/** The faults of a certificate, or of a path from it to a trust anchor. */
export const x509Failures = defineFailures({
  'x509-malformed': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.1',
    message: 'The certificate is not well-formed.',
    fix: 'Ask the CA to issue the certificate again.',
  },
  'x509-pem-malformed': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7468 §2',
    message: 'The text contains no PEM certificate.',
    fix: 'Supply a file with BEGIN CERTIFICATE lines.',
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
    message: 'A certificate of the chain has expired.',
    fix: 'Renew the certificate and reload the server.',
  },
  'x509-not-yet-valid': {
    ...broken,
    resultType: 'certificate-expired',
    clause: 'RFC 5280 §4.1.2.5',
    message: 'A certificate of the chain is not valid yet.',
    fix: 'Wait for the first day of the certificate, or correct the clock.',
  },
  'x509-self-signed': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message: 'The certificate is self-signed, and no CA signs it.',
    fix: 'Use a certificate from a public CA, or publish its key with DANE.',
  },
  'x509-issuer-missing': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message:
      'The server does not send the issuer of the last certificate, and no trusted root matches it.',
    fix: "Configure the full chain (the CA's file with intermediates) on the server.",
  },
  'x509-root-distrusted': {
    ...broken,
    resultType: 'certificate-not-trusted',
    message:
      'The root store distrusts certificates that this root issued after a date, and this certificate is newer.',
    fix: 'Use a certificate from another CA.',
  },
  'x509-unknown-ca': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message: 'The chain ends at an untrusted root.',
    fix: 'Use a certificate from a CA that senders trust.',
  },
  'x509-bad-signature': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1.3',
    message: 'The signature of a certificate does not match the key of its issuer.',
    fix: 'Configure the chain of this certificate.',
  },
  'x509-weak-signature': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 9155 §1',
    message: 'A certificate of the chain has a signature with SHA-1 or MD5.',
    fix: 'Ask the CA to issue the certificate again with SHA-256 or better.',
  },
  'x509-unknown-algorithm': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.1.1.2',
    message: 'A certificate of the chain is signed with an algorithm that is not supported.',
    fix: 'Use a certificate with an RSA, ECDSA or EdDSA signature.',
  },
  'x509-weak-key': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 9325 §4.5',
    message: 'A key of the chain is too small: RSA below 1024 bits, or EC below 192 bits.',
    fix: 'Use an RSA key of 2048 bits, or an EC key of P-256.',
  },
  'x509-not-a-ca': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.9',
    message: 'A certificate signed another certificate, but is not a CA certificate.',
    fix: 'Use a certificate from a CA.',
  },
  'x509-path-too-long': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.9',
    message: 'The path below a CA has more CAs than its certificate permits.',
    fix: 'Use a certificate from a CA with a permitted path length.',
  },
  'x509-may-not-sign': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.3',
    message: 'A CA signed a certificate with a key that does not permit certificate signatures.',
    fix: 'Use a certificate from a CA with keyCertSign.',
  },
  'x509-wrong-purpose': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.12',
    message: 'A certificate of the chain does not permit server authentication.',
    fix: 'Ask the CA to issue the certificate for server authentication.',
  },
  'x509-name-not-permitted': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2.1.10',
    message: 'A CA issued a certificate for a name outside its name constraints.',
    fix: 'Use a certificate from a CA whose constraints permit this name.',
  },
  'x509-critical-extension': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §4.2',
    message: 'A certificate has an unknown critical extension.',
    fix: 'Ask the CA to issue the certificate without that extension.',
  },
  'x509-policy': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1.5',
    message: 'A CA requires a certificate policy that the chain lacks.',
    fix: 'Use a certificate with the policy that its CA requires.',
  },
  'x509-unnamed-curve': {
    ...broken,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5480 §2.1.1',
    message: 'An EC key of the chain has explicit parameters instead of a named curve.',
    fix: 'Create a key with a named curve, such as P-256, and request a certificate for it.',
  },
  'x509-limit': {
    ...broken,
    resultType: 'certificate-not-trusted',
    message: 'Verification of the chain exceeds the limit of work for one chain.',
    fix: 'Send only the certificates that belong to the chain.',
  },
});

export type X509FailureCode = keyof typeof x509Failures.entries;
