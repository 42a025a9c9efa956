import { defineFailures } from '../base/index.js';

/** The reason why a request has no response. */
export const httpFailures = defineFailures({
  'http-unreachable': {
    blame: 'network',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    message: 'No address of the host accepts a connection.',
    fix: 'Check that the web server runs and that port 443 is open.',
  },
  'http-tls-failed': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 9110 §4.2.2',
    message: 'The TLS handshake with the web server failed.',
    fix: 'Check the TLS configuration of the web server for this name.',
  },
  'http-certificate-untrusted': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 9110 §4.3.4',
    message: 'The chain of the web server’s certificate does not end at a trusted CA.',
    fix: 'Use a certificate from a public CA, with its intermediates.',
  },
  'http-certificate-expired': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 5280 §4.1.2.5',
    message: 'The certificate of the web server has expired.',
    fix: 'Renew the certificate and reload the web server.',
  },
  'http-certificate-name': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 9110 §4.3.4',
    message: 'The certificate of the web server does not contain this name.',
    fix: 'Use a certificate that contains this name.',
  },
  'http-timeout': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    message: 'The response did not end in time.',
    fix: 'Check the load on the web server.',
  },
  'http-closed': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 9112 §8',
    message: 'The connection closed before the response was complete.',
    fix: 'Read the web server’s log.',
  },
  'http-malformed': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 9112 §2',
    message: 'The web server sent no valid HTTP response.',
    fix: 'Check which program answers on this port.',
  },
  'http-too-large': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    message: 'The response is larger than the limit.',
    fix: 'Serve a smaller document.',
  },
});
