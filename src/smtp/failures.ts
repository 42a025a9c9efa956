import { defineFailures } from '../base/index.js';

/** What can go wrong in a conversation. */
export const smtpFailures = defineFailures({
  'smtp-silent': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 5321 §4.5.3.2',
    says: 'The server did not answer in time.',
    fix: 'Try again later; if it stays so, look at the server’s load and firewall.',
  },
  'smtp-closed': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 5321 §3.8',
    says: 'The server closed the connection in the middle.',
    fix: 'Look for the reason in the server’s log.',
  },
  'smtp-garbage': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 5321 §4.2',
    says: 'What the server said is not an SMTP reply.',
    fix: 'Check that a mail server listens on this port.',
  },
  'smtp-too-long': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 5321 §4.5.3.1.5',
    says: 'The server’s reply is longer than any honest reply.',
    fix: 'Check what listens on this port.',
  },
  'smtp-busy': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 5321 §4.2.2',
    says: 'The server asked us to come back later.',
    fix: 'Wait and try again; connect less often.',
  },
  'smtp-refused': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 5321 §3.1',
    says: 'The server refuses to talk to this client.',
    fix: 'Check from a host that the server accepts mail from.',
  },
  'smtp-ehlo-refused': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 5321 §4.1.1.1',
    says: 'The server refused EHLO.',
    fix: 'Enable ESMTP on the server; without it there is no STARTTLS.',
  },
  'smtp-starttls-refused': {
    blame: 'peer',
    temporary: true,
    resultType: 'starttls-not-supported',
    clause: 'RFC 3207 §4',
    says: 'The server offered STARTTLS and refused it when asked.',
    fix: 'Check the server’s certificate and key files: a server that cannot read them answers so.',
  },
  'smtp-injected-plaintext': {
    blame: 'network',
    temporary: true,
    resultType: 'validation-failure',
    clause: 'RFC 3207 §4.2',
    says: 'Plaintext came after the server had agreed to TLS: somebody injected replies.',
    fix: 'Treat the path as hostile; nothing of it was used.',
  },
  'smtp-write-failed': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 5321 §3.8',
    says: 'The connection broke while sending.',
    fix: 'Try again later.',
  },
});
