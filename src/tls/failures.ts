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
 * The reason why a handshake did not complete. `tls-alert-<number>` for each alert of the
 * registry.
 */
export const tlsFailures = defineFailures<string>({
  ...alerts,
  'tls-alert-other': {
    ...broken,
    temporary: false,
    clause: 'RFC 9846 §6',
    message: 'The server refused the handshake with an unregistered alert.',
    fix: 'Read the server’s log.',
  },
  'tls-no-shared-version': {
    ...broken,
    temporary: false,
    clause: 'RFC 9325 §3.1.1',
    message: 'The server chose an obsolete TLS version, which the client does not offer.',
    fix: 'Enable TLS 1.2 and TLS 1.3 on the server.',
  },
  'tls-closed': {
    ...broken,
    temporary: true,
    message: 'The connection closed at the ClientHello, before any answer.',
    fix: 'Read the server’s log. An unreadable key or certificate can be the cause. If the log shows no hello, a firewall or an on-path attacker blocks TLS.',
  },
  'tls-cut': {
    ...broken,
    temporary: true,
    message:
      'The server answered the hello, and the connection closed before the handshake ended, without an alert.',
    fix: 'Read the server’s log. A key that does not match its certificate, or a crash, can be the cause. If the log shows no fault, a device on the path cuts TLS connections.',
  },
  'tls-timeout': {
    ...broken,
    blame: 'network',
    temporary: true,
    message: 'The handshake did not end in time.',
    fix: 'Try again. Check the load on the server and the firewalls on the path.',
  },
  'tls-garbage': {
    ...broken,
    temporary: false,
    message: 'The server sent data that is not TLS.',
    fix: 'Check that no other program answers on this port, and that no device alters the traffic.',
  },
  'tls-certificate-untrusted': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-not-trusted',
    clause: 'RFC 5280 §6.1',
    message: 'The certificate chain of the server is not accepted.',
    fix: 'Use a certificate from a trusted CA, with its intermediates.',
  },
  'tls-certificate-expired': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-expired',
    clause: 'RFC 5280 §4.1.2.5',
    message: 'The certificate of the server has expired.',
    fix: 'Renew the certificate and reload the server.',
  },
  'tls-certificate-name': {
    blame: 'peer',
    temporary: true,
    resultType: 'certificate-host-mismatch',
    clause: 'RFC 9525 §6.3',
    message: 'The certificate of the server does not contain this name.',
    fix: 'Use a certificate that contains this name.',
  },
  'tls-failed': {
    ...broken,
    temporary: false,
    message: 'The handshake failed.',
    fix: 'Read the server’s log.',
  },
});
