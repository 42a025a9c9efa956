import { defineFailures } from '../base/index.js';

/**
 * Failures of the daemon and its jobs to start or reload, and of its control socket. The
 * daemon refuses to start with an invalid or exposed secret or key: otherwise a job would
 * fail later without a message.
 */
export const daemonFailures = defineFailures({
  // The daemon refuses a configuration with any error, at the start and at a reload: the
  // valid part alone could leave a policy unpublished.
  'config-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The configuration is not valid.',
    fix: 'Correct the line that the message names, and test with hermetic serve --check.',
  },
  'config-file-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file that the configuration names cannot be read.',
    fix: 'Check the path and its permissions.',
  },
  // A receiver discards a report that another domain signed (RFC 8460 §3).
  'config-dkim-domain': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8460 §3',
    message:
      'The DKIM domain of the reports is neither the domain of the contact nor a parent of it.',
    fix: 'Sign with the domain of reporting.contact, or a parent of it.',
  },
  'listen-failed': {
    blame: 'local',
    temporary: false,
    message: 'The daemon cannot listen on an address of the configuration.',
    fix: 'Stop the program that uses the port, or choose another address.',
  },
  // The daemon refuses the file instead of only logging the fault: another local user may
  // already have read the secret.
  'secret-exposed': {
    blame: 'local',
    temporary: false,
    message: 'Every user of this machine can read or change a file that holds a secret.',
    fix: 'Remove the permissions of other users: chmod o= FILE.',
  },
  'secret-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file that holds a secret cannot be read.',
    fix: 'Check the path and its permissions.',
  },
  'key-unusable': {
    blame: 'local',
    temporary: false,
    message: 'A file contains no usable private key.',
    fix: 'Use the PEM file of an unencrypted private key.',
  },
  'certificate-unusable': {
    blame: 'local',
    temporary: false,
    message: 'A certificate and its key cannot be used together.',
    fix: 'Use the PEM file of the certificate with its intermediates, and the file of its key.',
  },
  'daemon-unreachable': {
    blame: 'local',
    temporary: true,
    message: 'The running daemon does not answer on its control socket.',
    fix: 'Check that the daemon runs: systemctl status hermetic.',
  },
  'control-unknown': {
    blame: 'local',
    temporary: false,
    message: 'The daemon does not recognise a request on its control socket.',
    fix: 'Use the hermetic command of the same version.',
  },
  'reload-failed': {
    blame: 'local',
    temporary: false,
    message: 'The daemon refused a new configuration. The old configuration stays active.',
    fix: 'Correct the problems that the messages name, and reload again.',
  },
  'setup-absent': {
    blame: 'local',
    temporary: false,
    message: 'Undo found no saved state of this setup.',
    fix: 'Use a name that hermetic setup has configured.',
  },
  'setup-changed': {
    blame: 'local',
    temporary: false,
    message: 'A file changed after setup, so undo did not restore the file.',
    fix: 'Restore the file manually from the saved state that the message names.',
  },
  'postfix-absent': {
    blame: 'local',
    temporary: false,
    message: 'Postfix is not installed on this machine.',
    fix: 'Install Postfix, or configure your mail server with hermetic config.',
  },
  'postfix-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'The configuration of Postfix cannot be read or is not valid.',
    fix: 'Run the command as root, and correct main.cf.',
  },
  'reload-unsupported': {
    blame: 'local',
    temporary: false,
    message: 'The daemon has no configuration file to read again.',
    fix: 'Restart the daemon.',
  },
  'body-too-large': {
    blame: 'peer',
    temporary: false,
    message: 'A client sent a request with more octets than the limit.',
    fix: 'Ignore a single event: the daemon refused the request.',
  },
});
