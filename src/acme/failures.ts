import { defineFailures } from '../base/index.js';

/** Failures of certificate issuance (RFC 8555, RFC 9773). */
export const acmeFailures = defineFailures({
  'acme-unreachable': {
    blame: 'network',
    temporary: true,
    message: 'The certification authority is unreachable, or its answer does not follow RFC 8555.',
    fix: 'Check publish.acme.directory and the network of this machine. The next round continues from the saved state.',
  },
  'acme-refused': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8555 §6.7',
    message: 'The certification authority refused the request.',
    fix: 'Read the reason in the message of the authority. The next round repeats the request.',
  },
  'acme-limited': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 8555 §6.6',
    message:
      'The certification authority set a time to wait. Hermetic sends the authority no request until then.',
    fix: 'Wait: Hermetic continues at that time.',
  },
  'acme-challenge-failed': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 8555 §7.1.6',
    message: 'The certification authority did not find the answer to its challenge.',
    fix: 'Make this server reachable under the name of the certificate: port 80 for http-01, port 443 for tls-alpn-01. For dns-01, check the TXT record.',
  },
  'acme-challenge-unknown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8555 §7.5',
    message: 'The certification authority offers no challenge that this configuration can answer.',
    fix: 'Choose another challenge in publish.acme.challenge.',
  },
  'acme-challenge-elsewhere': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8555 §8.4',
    message:
      'The challenge name is an alias into a zone that is not in publish.dns. Hermetic wrote nothing.',
    fix: 'Add an entry with that zone to publish.dns (kind rfc2136, or hook with its zone). Alternatively, point the alias into a zone of publish.dns.',
  },
  'acme-pending': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 8555 §7.4',
    message: 'The certification authority has not finished the order yet.',
    fix: 'Wait: the next round continues the same order.',
  },
  'acme-certificate-wrong': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8555 §7.4.2',
    message:
      'The new certificate is not for this key and this name. Hermetic does not use the certificate.',
    fix: 'Report it to the certification authority. The current certificate stays in use.',
  },
});
