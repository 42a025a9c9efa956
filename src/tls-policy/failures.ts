import { defineFailures } from '../base/index.js';

/** The reason why a reached server does not meet the requirement of DANE or MTA-STS. */
export const serverFailures = defineFailures({
  'server-no-starttls': {
    blame: 'peer',
    temporary: true,
    resultType: 'starttls-not-supported',
    clause: 'RFC 3207 §2',
    message: 'The server does not offer STARTTLS, or an on-path attacker removes it.',
    fix: 'Check the server from another network. If it offers TLS there, treat the path as hostile.',
  },
  'server-no-certificate': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 8461 §4.2',
    message: 'The server presents no readable certificate.',
    fix: 'Install a certificate on the server.',
  },
  'server-pkix-untrusted': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 8461 §4.2',
    message: 'No public CA signs the certificate.',
    fix: 'Install a certificate from a public CA, with its intermediate certificates.',
  },
  'server-pkix-expired': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-expired',
    clause: 'RFC 8461 §4.2',
    message: 'The certificate, or a CA certificate of its chain, has expired.',
    fix: 'Renew the certificate.',
  },
  'server-pkix-name': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-host-mismatch',
    clause: 'RFC 8461 §4.2',
    message: 'The certificate does not contain the name of the MX host.',
    fix: 'Install a certificate for the name in the MX record.',
  },
  'server-dane-mismatch': {
    blame: 'peer',
    temporary: true,
    resultType: 'validation-failure',
    clause: 'RFC 7672 §2.2',
    message: 'No TLSA record matches the certificate of the server.',
    fix: 'Publish TLSA records for the key in use. Before a key change, wait until the caches have dropped the old records.',
  },
  'server-dane-expired': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-expired',
    clause: 'RFC 7672 §3.1.2',
    message: 'The trust anchor matches, but a certificate below it has expired.',
    fix: 'Renew the certificate, or publish 3 1 1 for its key.',
  },
  'server-dane-name': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-host-mismatch',
    clause: 'RFC 7672 §3.2.2',
    message:
      'The trust anchor matches, but the certificate contains none of the reference identifiers.',
    fix: 'Install a certificate for the name of the MX host, or publish 3 1 1 for its key.',
  },
});
