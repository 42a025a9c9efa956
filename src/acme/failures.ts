import { defineFailures } from '../base/index.js';

/** Failures of certificate issuance (RFC 8555, RFC 9773). */
export const acmeFailures = defineFailures({
  'acme-unreachable': {
    blame: 'network',
    temporary: true,
    message:
      'The certification authority could not be reached, or did not answer as RFC 8555 says.',
    fix: 'Look at publish.acme.directory and whether this machine reaches it; the next round goes on where this one stopped.',
  },
  'acme-refused': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8555 §6.7',
    message: 'The certification authority refused.',
    fix: 'Its own words say why; nothing is lost, and the next round asks again.',
  },
  'acme-limited': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 8555 §6.6',
    message: 'The certification authority asked to wait, so nothing is sent to it until then.',
    fix: 'Nothing to do: it goes on by itself at that time.',
  },
  'acme-challenge-failed': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 8555 §7.1.6',
    message: 'The certification authority did not find our answer to its challenge.',
    fix: 'See that it reaches this server under that name: port 80 for http-01, port 443 for tls-alpn-01, the TXT record for dns-01.',
  },
  'acme-challenge-unknown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8555 §7.5',
    message: 'The certification authority offers no challenge that this configuration can answer.',
    fix: 'Name another kind in publish.acme.challenge.',
  },
  'acme-challenge-elsewhere': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8555 §8.4',
    message:
      'The name of the challenge is an alias that leads where nothing in publish.dns may write, so nothing was written.',
    fix: 'Add an entry with that zone to publish.dns (kind rfc2136, or hook with its zone), or point the alias into a zone that is there.',
  },
  'acme-pending': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 8555 §7.4',
    message: 'The order is placed and the certification authority is not done yet.',
    fix: 'Nothing to do: the next round takes the same order up again.',
  },
  'acme-certificate-wrong': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8555 §7.4.2',
    message: 'The certificate that came is not for this key and this name, so it is not used.',
    fix: 'Tell the certification authority; the certificate in use stays.',
  },
});
