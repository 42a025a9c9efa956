import { defineFailures } from '../base/index.js';

/**
 * Errors of the command line itself. These errors are declared here and not in `src/cli`,
 * because the table of all failures may not import a higher layer. Each has
 * `blame: 'local'`: the operator can fix it. Only an interruption is temporary. After any
 * other error, a retry fails until a file or an option changes.
 */
export const cliFailures = defineFailures({
  // The parser of the command line refused an option or an argument before any work
  // began.
  usage: {
    blame: 'local',
    temporary: false,
    message: 'The command line is not valid.',
    fix: 'Read the help of the command: hermetic COMMAND --help.',
  },
  // The limit of open files is checked before the program is loaded: if it is too low,
  // Node fails with a stack trace.
  'descriptors-too-few': {
    blame: 'local',
    temporary: false,
    message: 'The limit of open files is too low to load the program.',
    fix: 'Set LimitNOFILE=1024 in the unit, or run ulimit -n 1024 before the command.',
  },
  // A signal ended the command. A retry can succeed, so this failure alone is temporary.
  interrupted: {
    blame: 'local',
    temporary: true,
    message: 'The command was interrupted before it finished.',
    fix: 'Run it again.',
  },
  'node-too-old': {
    blame: 'local',
    temporary: false,
    message: 'This version of Node.js is too old for the program.',
    fix: 'Install the version that the message names, or a later one.',
  },
  // The disk is full, or the reader closed the pipe: a truncated result must not look
  // complete.
  'output-unwritable': {
    blame: 'local',
    temporary: false,
    message: 'Standard output cannot be written.',
    fix: 'Free space on the disk, or send the output elsewhere.',
  },
  'file-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file that the command line names cannot be read.',
    fix: 'Check the path, and the permissions of the file and the folders above it.',
  },
  'file-unwritable': {
    blame: 'local',
    temporary: false,
    message: 'A file that the command line names cannot be written.',
    fix: 'Check the path, the free space and the permissions of its folder.',
  },
  'file-too-large': {
    blame: 'local',
    temporary: false,
    message: 'A file exceeds the size limit of the command.',
    fix: 'Use a smaller file.',
  },
  // The author of an evidence file is unknown, so the command validates the file by its
  // schema before grading.
  'evidence-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The file is not evidence of a check.',
    fix: 'Use a file written by hermetic check --evidence.',
  },
  'watch-domain-unknown': {
    blame: 'local',
    temporary: false,
    message: 'The watch has no saved state for this domain.',
    fix: 'Name a watched domain, or omit the name for all domains.',
  },
  'watch-nothing-to-accept': {
    blame: 'local',
    temporary: false,
    message: 'No confirmed loss of protection is open for this domain.',
    fix: 'Read the open alarms with hermetic watch status. The alarm of any other fault ends once you fix the fault.',
  },
  'watch-state-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The state file of the watch is damaged, or another program wrote it.',
    fix: 'Specify another file with --state, or remove the damaged file: the watch then starts without a saved state.',
  },
  'result-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The file is neither the result nor the evidence of a check.',
    fix: 'Use a file written by hermetic check --json or --evidence.',
  },
  'proof-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The file is not a proof of a DNS answer.',
    fix: 'Use a file written by hermetic dnssec --proof.',
  },
  'diff-domains': {
    blame: 'local',
    temporary: false,
    message: 'The two files are about different domains.',
    fix: 'Use two files about the same domain.',
  },
  // Two profiles differ in their rules, so the comparison would show changes that the
  // domain did not make.
  'diff-profiles': {
    blame: 'local',
    temporary: false,
    message: 'The two results were graded with different profiles.',
    fix: 'Compare the evidence of both checks: Hermetic grades both again with one profile.',
  },
  // An insecure or bogus answer has no chain of signatures that a reader could verify
  // offline.
  'dnssec-no-proof': {
    blame: 'local',
    temporary: false,
    message: 'The command wrote no proof, because only a secure answer has a proof.',
    fix: 'Run the command without --proof to see why the answer is not secure.',
  },
  'topic-unknown': {
    blame: 'local',
    temporary: false,
    message: 'The word is neither a topic nor a code that the program prints.',
    fix: 'List the topics: hermetic explain.',
  },
  'reports-absent': {
    blame: 'local',
    temporary: false,
    message: 'The database has no report about this domain.',
    fix: 'Check the spelling of the domain.',
  },
  // A record with the digest of empty input matches no key, and DANE senders would defer
  // (RFC 7672 §2.2).
  'tlsa-empty': {
    blame: 'local',
    temporary: false,
    message: 'The digest is that of empty input, so the input contained no key.',
    fix: 'Use a PEM file with a certificate or key.',
  },
  'tlsa-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'The file holds neither a certificate nor a key in PEM.',
    fix: 'Convert it: openssl x509 -inform DER -in FILE.',
  },
});
