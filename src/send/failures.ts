import { defineFailures } from '../base/index.js';

/** Why mail did not go, beyond what a server or DNS says. */
export const sendFailures = defineFailures({
  'send-no-mail': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7505 §3',
    message:
      'The domain takes no mail: its MX record says so, it has neither MX nor address, or it does not exist.',
    fix: 'Check the address; if it is right, ask the recipient for another.',
  },
  'send-route-unknown': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 7672 §2.1.2',
    message: 'DNS does not tell where the mail of the domain goes; it waits.',
    fix: 'Look at the failure beside: it says whether the resolver here or the DNS of the domain has to be mended.',
  },
  'send-host-refused': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 8461 §5, RFC 7672 §2.2',
    message: 'Policy forbids this host.',
    fix: 'The grounds beside name the record that has to be mended.',
  },
  'send-no-address': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 5321 §5.1',
    message: 'The MX host has no address.',
    fix: 'Give the host an address, or take it out of the MX records.',
  },
  'send-no-server': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 5321 §4.5.4.1',
    message: 'No server of the domain could be used; the mail waits.',
    fix: 'The attempts beside say why, one by one.',
  },
  'send-requiretls-failed': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8689 §4.2.1',
    message: 'The message asks for REQUIRETLS, and no server of the domain can keep it.',
    fix: 'Send without REQUIRETLS, or ask the recipient’s operator for it.',
  },
  'send-helo-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The name for EHLO is not a host name.',
    fix: 'Give the name under which this machine sends mail.',
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
