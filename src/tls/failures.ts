import { defineFailures, type FailureEntry } from '../base/index.js';
import { alertTable } from './alerts-registry.js';

const broken = { blame: 'peer', resultType: 'validation-failure', clause: 'RFC 9846 §4' } as const;

const alerts = Object.fromEntries(
  alertTable.map(([number, name, fix]): [string, FailureEntry] => [
    `tls-alert-${number}`,
    {
      ...broken,
      temporary: number === 80,
      clause: 'RFC 9846 §6',
      message: `The server refused the handshake with the alert ${name} (${number}).`,
      fix,
    },
  ]),
);

/**
 * Why a handshake did not come to its end. `tls-alert-<number>` for each alert of the
 * registry.
 */
export const tlsFailures = defineFailures<string>({
  ...alerts,
  'tls-alert-other': {
    ...broken,
    temporary: false,
    clause: 'RFC 9846 §6',
    message: 'The server refused the handshake with an alert that is not in the registry.',
    fix: "Look into the server's log.",
  },
  'tls-no-shared-version': {
    ...broken,
    temporary: false,
    clause: 'RFC 9325 §3.1.1',
    message: 'The server chose a TLS version that is not offered any more.',
    fix: 'Enable TLS 1.2 and TLS 1.3 on the server.',
  },
  'tls-closed': {
    ...broken,
    temporary: true,
    message: 'The connection was closed at the ClientHello, before anything of an answer came.',
    fix: "Look into the server's log (a key or certificate that it cannot read ends so); if it saw no hello, something between refuses TLS, be it a firewall or an attacker who wants clear text.",
  },
  'tls-cut': {
    ...broken,
    temporary: true,
    message:
      'The server answered the hello, and the connection was cut before the handshake ended, without an alert.',
    fix: "Look into the server's log: a key that does not fit its certificate, or a crash while signing, ends so. If the server knows nothing of it, something between cuts the connection once it sees TLS.",
  },
  'tls-timeout': {
    ...broken,
    blame: 'network',
    temporary: true,
    message: 'The handshake did not end in time.',
    fix: 'Try again; look at the load of the server and at firewalls between.',
  },
  'tls-garbage': {
    ...broken,
    temporary: false,
    message: 'What the server sent is not TLS.',
    fix: 'Check that nothing else answers on this port, and that nothing alters the traffic.',
  },
  'tls-certificate-untrusted': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message: "The server's certificate does not lead to a trusted CA.",
    fix: 'Use a certificate from a trusted CA, with its intermediates.',
  },
  'tls-certificate-expired': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-expired',
    clause: 'RFC 5280 §4.1.2.5',
    message: "The server's certificate is out of date.",
    fix: 'Renew the certificate and reload the server.',
  },
  'tls-certificate-name': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-host-mismatch',
    clause: 'RFC 9525 §6.3',
    message: "The server's certificate is not for this name.",
    fix: 'Use a certificate that has this host among its names.',
  },
  'tls-failed': {
    ...broken,
    temporary: false,
    message: 'The handshake failed.',
    fix: "Look into the server's log.",
  },
});
