import { HermeticError, defineFailures } from '../../../base/index.js';

/**
 * Faults of the database and of scan lists, thrown as HermeticError because their cause
 * is on this machine.
 */
export const scanFailures = defineFailures({
  'scan-package-missing': {
    blame: 'local',
    temporary: false,
    message: 'A package that scans need is not installed.',
    fix: 'Run: npm install pg@8.23.1 pg-copy-streams@7.0.0 graphile-worker@0.17.3',
  },
  'scan-database-unreachable': {
    blame: 'local',
    temporary: true,
    message: 'PostgreSQL does not accept a connection.',
    fix: 'Check the address, and that the server runs and accepts this user.',
  },
  'scan-database-failed': {
    blame: 'local',
    temporary: true,
    message: 'PostgreSQL cannot execute a statement.',
    fix: 'Free space on its disk, or grant the right that its message names. Then run the same command again.',
  },
  'scan-database-newer': {
    blame: 'local',
    temporary: false,
    message: 'A newer hermetic wrote the tables of this database.',
    fix: 'Use that version or a later one. Older versions would damage the tables.',
  },
  'scan-database-older': {
    blame: 'local',
    temporary: false,
    message: 'An older hermetic wrote the tables of this database.',
    fix: 'Run hermetic scan start or hermetic worker: they bring the tables up to date.',
  },
  'scan-database-empty': {
    blame: 'local',
    temporary: false,
    message: 'The database holds no scans.',
    fix: 'Check the folder or address. hermetic scan start creates the database.',
  },
  'scan-server-missing': {
    blame: 'local',
    temporary: false,
    message: 'This machine has no PostgreSQL server.',
    fix: 'Install it (Debian: apt-get install postgresql), or name a server with --database.',
  },
  'scan-server-user': {
    blame: 'local',
    temporary: false,
    message: 'PostgreSQL refuses to run as root, and this machine has no user for it.',
    fix: 'Run the command as another user, or create a system user named postgres.',
  },
  'scan-server-failed': {
    blame: 'local',
    temporary: false,
    message: 'The local PostgreSQL server did not start.',
    fix: 'Read the message or the named log. With --local, choose a folder that the user of the server can enter.',
  },
  'scan-list-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The list of domains cannot be used.',
    fix: 'Use a text file with one domain per line, or lines of rank and domain: 1,example.com.',
  },
  'scan-list-differs': {
    blame: 'local',
    temporary: false,
    message: 'Another list with this name is stored.',
    fix: 'Choose another name with --name.',
  },
  'scan-absent': {
    blame: 'local',
    temporary: false,
    message: 'The database has no such scan.',
    fix: 'Run hermetic scan list, and use a number from its first column.',
  },
  'scan-domain-absent': {
    blame: 'local',
    temporary: false,
    message: 'No scan of this database has the domain.',
    fix: 'Add the domain to a list and scan it, or check the spelling.',
  },
  'scan-pruned': {
    blame: 'local',
    temporary: false,
    message: 'The rows of the scan were deleted after its retention.',
    fix: 'Read its statistics with hermetic scan show, or export a newer scan.',
  },
  'scan-state': {
    blame: 'local',
    temporary: false,
    message: 'The state of the scan does not permit this.',
    fix: 'Run hermetic scan show with the number of the scan: it prints the state.',
  },
});

export type ScanFailureCode = keyof typeof scanFailures.entries;

/**
 * Returns the error for a condition of a scan. `detail`: the file, server or scan at
 * fault.
 */
export function scanError(code: ScanFailureCode, detail: string, cause?: unknown): HermeticError {
  const { message, fix } = scanFailures.entries[code];
  return new HermeticError(code, `${message.replace(/\.$/, '')}: ${detail}`, { cause, fix });
}
