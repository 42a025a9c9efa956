import type { Command } from 'commander';
import type { CommandContext } from './output.js';

/**
 * The command line of `hermetic`: arguments in, text and an exit status out.
 *
 * Each command is a thin layer over one part of the library. It validates options, calls
 * the part, renders the result for a terminal or as JSON, and returns an exit status. The
 * library makes all decisions about mail, so a program that uses it gets the same
 * results.
 *
 * Rules that all commands share:
 *
 * - Output paths are tested before the first packet, so that a long check is not lost.
 * - Text of peers is neutralised before it is printed, so it cannot control the terminal.
 * - A fault of a peer is a result (exit status 1 or 3). Status 2 means that the command
 *   itself cannot be used, and `hermetic explain CODE` explains the printed code.
 * - `--json` prints the stable contracts of `schemas/`; the text form may change.
 *
 * `main.ts` checks the Node version, `start.ts` connects the process, `run.ts` builds the
 * program, and `commands/` has one file for each command.
 */

/** Adds arguments, options and the action to a command. */
export type DefineCommand = (command: Command, context: CommandContext) => void;

/** The entry of a command in the list of commands; its definition is loaded on demand. */
export interface CommandEntry {
  readonly name: string;
  /** Heading under which `hermetic --help` lists the command. */
  readonly group: 'Check' | 'Send' | 'Publish' | 'Report' | 'Run' | 'Learn';
  /** The arguments, in the form of the usage line. */
  readonly usage: string;
  readonly summary: string;
  /** Imports the definition of the command. */
  load(): Promise<DefineCommand>;
}

/**
 * Every command. `hermetic --help` needs only this list: loading every command reads
 * several hundred files.
 */
export const commands: readonly CommandEntry[] = [
  {
    name: 'check',
    group: 'Check',
    usage: '[domain...]',
    summary: 'check how well the mail of a domain is protected in transit',
    load: async () => (await import('./commands/check.js')).defineCheck,
  },
  {
    name: 'grade',
    group: 'Check',
    usage: '<file...>',
    summary: 'grade saved evidence again, offline',
    load: async () => (await import('./commands/grade.js')).defineGrade,
  },
  {
    name: 'diff',
    group: 'Check',
    usage: '<old> <new>',
    summary: 'show the changes between two checks of a domain',
    load: async () => (await import('./commands/diff.js')).defineDiff,
  },
  {
    name: 'watch',
    group: 'Check',
    usage: '[domain...]',
    summary: 'check domains repeatedly, and report only changes',
    load: async () => (await import('./commands/watch.js')).defineWatch,
  },
  {
    name: 'digest',
    group: 'Check',
    usage: '',
    summary: 'print the current digest of the watched domains',
    load: async () => (await import('./commands/digest.js')).defineDigest,
  },
  {
    name: 'history',
    group: 'Check',
    usage: '[domain]',
    summary: 'print the checks that the daemon stored, oldest first',
    load: async () => (await import('./commands/history.js')).defineHistory,
  },
  {
    name: 'scan',
    group: 'Check',
    usage: '',
    summary: 'scan lists of domains politely, and print statistics',
    load: async () => (await import('./commands/scan.js')).defineScan,
  },
  {
    name: 'worker',
    group: 'Run',
    usage: '',
    summary: 'start, list, read and export the scans of a database',
    load: async () => (await import('./commands/worker.js')).defineWorker,
  },
  {
    name: 'dnssec',
    group: 'Check',
    usage: '<name> <type>',
    summary: 'validate one DNS answer and show its chain of trust',
    load: async () => (await import('./commands/dnssec.js')).defineDnssec,
  },
  {
    name: 'policy',
    group: 'Send',
    usage: '<domain>',
    summary: 'show the TLS that senders must require for a domain, and the records that require it',
    load: async () => (await import('./commands/policy.js')).definePolicy,
  },
  {
    name: 'send',
    group: 'Send',
    usage: '<address...>',
    summary: "deliver one message to the recipients' servers, as their policies require",
    load: async () => (await import('./commands/send.js')).defineSend,
  },
  {
    name: 'sender',
    group: 'Send',
    usage: '',
    summary: 'test or predict how a mail server treats the mail that it sends',
    load: async () => (await import('./commands/sender.js')).defineSender,
  },
  {
    name: 'records',
    group: 'Publish',
    usage: '<domain>',
    summary: 'print the DNS records that a domain is missing, in a safe order',
    load: async () => (await import('./commands/records.js')).defineRecords,
  },
  {
    name: 'tlsa',
    group: 'Publish',
    usage: '<file...>',
    summary: 'print the TLSA records of a certificate or key',
    load: async () => (await import('./commands/tlsa.js')).defineTlsa,
  },
  {
    name: 'config',
    group: 'Publish',
    usage: '<server>',
    summary: 'print the TLS settings of a mail server, ready to paste',
    load: async () => (await import('./commands/config.js')).defineConfig,
  },
  {
    name: 'publish',
    group: 'Publish',
    usage: '',
    summary: 'publish MTA-STS and TLSA records in an order that never defers mail',
    load: async () => (await import('./commands/publish.js')).definePublish,
  },
  {
    name: 'report',
    group: 'Report',
    usage: '',
    summary: 'read TLS-RPT reports and explain the failures in them',
    load: async () => (await import('./commands/report.js')).defineReport,
  },
  {
    name: 'serve',
    group: 'Run',
    usage: '',
    summary: 'run the daemon with every job that its configuration enables',
    load: async () => (await import('./commands/serve.js')).defineServe,
  },
  {
    name: 'setup',
    group: 'Run',
    usage: '<use>',
    summary: 'write the configuration for Postfix, publishing or reports, or undo it',
    load: async () => (await import('./commands/setup.js')).defineSetup,
  },
  {
    name: 'doctor',
    group: 'Run',
    usage: '',
    summary: 'find problems with the installation, most important first',
    load: async () => (await import('./commands/doctor.js')).defineDoctor,
  },
  {
    name: 'status',
    group: 'Run',
    usage: '',
    summary: 'show the state of the running daemon',
    load: async () => (await import('./commands/status.js')).defineStatus,
  },
  {
    name: 'reload',
    group: 'Run',
    usage: '',
    summary: 'make the running daemon reload its configuration',
    load: async () => (await import('./commands/reload.js')).defineReload,
  },
  {
    name: 'user',
    group: 'Run',
    usage: '',
    summary: 'manage the accounts of the operator pages',
    load: async () => (await import('./commands/user.js')).defineUser,
  },
  {
    name: 'backup',
    group: 'Run',
    usage: '<file>',
    summary: 'copy the database while the daemon runs',
    load: async () => (await import('./commands/backup.js')).defineBackup,
  },
  {
    name: 'restore',
    group: 'Run',
    usage: '<file>',
    summary: 'replace the database with a backup',
    load: async () => (await import('./commands/restore.js')).defineRestore,
  },
  {
    name: 'explain',
    group: 'Learn',
    usage: '[topic]',
    summary: 'explain a topic of mail TLS with a demonstration in the lab, or a printed code',
    load: async () => (await import('./commands/explain.js')).defineExplain,
  },
  {
    name: 'lab',
    group: 'Learn',
    usage: '',
    summary: 'check every domain of the built-in lab, a mail internet in one process',
    load: async () => (await import('./commands/lab.js')).defineLab,
  },
];
