import { defineFailures } from '../base/index.js';

/**
 * Reasons why mail was not delivered, in addition to the failures of DNS, SMTP and TLS.
 */
export const sendFailures = defineFailures({
  'send-no-mail': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7505 §3',
    message:
      'The domain accepts no mail. It has a null MX, has neither MX nor address, or does not exist.',
    fix: 'Check the address. If it is correct, ask the recipient for another address.',
  },
  'send-route-unknown': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 7672 §2.1.2',
    message: 'DNS returns no answer about the mail servers of the domain. The mail is deferred.',
    fix: 'Read the second failure in the output. It shows whether the local resolver or the DNS of the domain is at fault.',
  },
  'send-host-refused': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 8461 §5, RFC 7672 §2.2',
    message: 'A policy forbids this host.',
    fix: 'Fix the record that the reasons name.',
  },
  'send-no-address': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 5321 §5.1',
    message: 'The MX host has no address.',
    fix: 'Publish an address for the host, or remove it from the MX records.',
  },
  'send-no-server': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 5321 §4.5.4.1',
    message: 'No server of the domain was usable. The mail is deferred.',
    fix: 'Read the reason of each attempt.',
  },
  'send-requiretls-failed': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8689 §4.2.1',
    message: 'The message asks for REQUIRETLS, and no server of the domain supports it.',
    fix: 'Send without REQUIRETLS, or ask the operator of the recipient’s server to support it.',
  },
  'send-helo-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The name for EHLO is not a host name.',
    fix: 'Set the name that this machine sends in EHLO.',
  },
  'send-failed': {
    blame: 'peer',
    temporary: true,
    message: 'The message was not delivered to every recipient.',
    fix: 'Read the failure of each recipient; deliver deferred mail again later.',
  },
  'send-too-big': {
    blame: 'local',
    temporary: false,
    message: 'The message is larger than the transport accepts.',
    fix: 'Send a smaller message.',
  },
});
