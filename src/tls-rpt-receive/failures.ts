import { defineFailures } from '../base/index.js';

/** The failures because of which reports temporarily cannot be fetched or accepted. */
export const intakeFailures = defineFailures({
  'dkim-key-unavailable': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 6376 §6.1.2',
    message: 'The DKIM key of a message with a report could not be looked up.',
    fix: 'Check the resolver; the mail server delivers the mail again.',
  },
  'mailbox-unreachable': {
    blame: 'network',
    temporary: true,
    message: 'The IMAP server of a mailbox cannot be reached.',
    fix: 'Check server, port and firewall. For a server in a private network, set address.',
  },
  'mailbox-not-authenticated': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 8314 §4.4',
    message: 'The IMAP server of a mailbox has no valid certificate, so no password was sent.',
    fix: 'Set server to a name in its certificate. For a CA of your own, set roots.add.',
  },
  'mailbox-secret': {
    blame: 'local',
    temporary: true,
    message: 'The password or access token of a mailbox cannot be obtained.',
    fix: 'Check the file of password, or run tokenCommand as the user of the daemon.',
  },
  'mailbox-login-refused': {
    blame: 'local',
    temporary: false,
    message: 'The IMAP server refuses the account or its secret.',
    fix: 'Check user and password. Large providers require an access token: set tokenCommand.',
  },
  'mailbox-folder-missing': {
    blame: 'local',
    temporary: false,
    message: 'The folder does not exist on the IMAP server.',
    fix: 'Set folder to a name that the server lists, with its separator, such as INBOX/tlsrpt.',
  },
  'mailbox-cannot-remove': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 4315 §2.1',
    message: 'The IMAP server offers no UIDPLUS, so single mails cannot be removed safely.',
    fix: 'Set after: keep.',
  },
  'mailbox-pending-full': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 6376 §6.1.2',
    message:
      'Too many mails of a mailbox are pending because of DKIM keys. Further mails stay unread in the mailbox.',
    fix: 'Check the resolver. The daemon reads the other mails once it has the keys of some pending mails.',
  },
  'mailbox-not-stored': {
    blame: 'local',
    temporary: true,
    message: 'Reports of a mailbox could not be stored, so Hermetic stopped reading the mailbox.',
    fix: 'Check the disk and the database, and run the command again: it continues with the remaining mails.',
  },
  'mailbox-connection-lost': {
    blame: 'network',
    temporary: true,
    message: 'The connection to the IMAP server failed during a command.',
    fix: 'Read the detail. The daemon reconnects automatically.',
  },
});
