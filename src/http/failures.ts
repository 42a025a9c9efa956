import { defineFailures } from '../base/index.js';

/** Why a request has no response. */
export const httpFailures = defineFailures({
  'http-unreachable': {
    blame: 'network',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    message: 'No address of the host takes a connection.',
    fix: 'Check that the web server runs and that port 443 is open.',
  },
  'http-tls-failed': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 9110 §4.2.2',
    message: 'The TLS handshake with the web server failed.',
    fix: "Look into the web server's TLS configuration for this name.",
  },
  'http-certificate-untrusted': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 9110 §4.3.4',
    message: "The web server's certificate does not lead to a trusted CA.",
    fix: 'Use a certificate from a public CA, with its intermediates.',
  },
  'http-certificate-expired': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 5280 §4.1.2.5',
    message: "The web server's certificate is out of date.",
    fix: 'Renew the certificate and reload the web server.',
  },
  'http-certificate-name': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-webpki-invalid',
    clause: 'RFC 9110 §4.3.4',
    message: "The web server's certificate is not for this name.",
    fix: 'Use a certificate that has this host among its names.',
  },
  'http-timeout': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    message: 'The response did not end in time.',
    fix: 'Look at the load of the web server.',
  },
  'http-closed': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 9112 §8',
    message: 'The connection was closed before the response was complete.',
    fix: "Look into the web server's log.",
  },
  'http-malformed': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    clause: 'RFC 9112 §2',
    message: 'What the web server sent is not an HTTP response.',
    fix: 'Check what answers on this port.',
  },
  'http-too-large': {
    blame: 'peer',
    temporary: true,
    resultType: 'sts-policy-fetch-error',
    message: 'The response is larger than what is read.',
    fix: 'Serve a smaller document.',
  },
});
