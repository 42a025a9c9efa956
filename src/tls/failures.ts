import { defineFailures, type FailureEntry } from '../base/index.js';
import { alertTable } from './alerts-registry.js';

const broken = { blame: 'peer', resultType: 'validation-failure', clause: 'RFC 8446 §4' } as const;

const alerts = Object.fromEntries(
  alertTable.map(([number, name, fix]): [string, FailureEntry] => [
    `tls-alert-${number}`,
    {
      ...broken,
      temporary: number === 80,
      clause: 'RFC 8446 §6',
      says: `The server refused the handshake with the alert ${name} (${number}).`,
      fix,
    },
  ]),
);

/** Why a handshake did not come to its end. `tls-alert-<number>` for each alert of the registry. */
export const tlsFailures = defineFailures<string>({
  ...alerts,
  'tls-alert-other': {
    ...broken,
    temporary: false,
    clause: 'RFC 8446 §6',
    says: 'The server refused the handshake with an alert that is not in the registry.',
    fix: "Look into the server's log.",
  },
  'tls-no-shared-version': {
    ...broken,
    temporary: false,
    clause: 'RFC 9325 §3.1.1',
    says: 'The server chose a TLS version that is not offered any more.',
    fix: 'Enable TLS 1.2 and TLS 1.3 on the server.',
  },
  'tls-closed': {
    ...broken,
    temporary: true,
    says: 'The connection was closed in the middle of the handshake.',
    fix: "Look into the server's log, and at firewalls between.",
  },
  'tls-timeout': {
    ...broken,
    blame: 'network',
    temporary: true,
    says: 'The handshake did not end in time.',
    fix: 'Try again; look at the load of the server and at firewalls between.',
  },
  'tls-garbage': {
    ...broken,
    temporary: false,
    says: 'What the server sent is not TLS.',
    fix: 'Check that nothing else answers on this port, and that nothing alters the traffic.',
  },
  'tls-failed': {
    ...broken,
    temporary: false,
    says: 'The handshake failed.',
    fix: "Look into the server's log.",
  },
});
