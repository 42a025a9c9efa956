import {
  chownSync,
  copyFileSync,
  existsSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import type { Command } from 'commander';
import { HermeticError, isHermeticError } from '../../base/index.js';
import { checkBackup } from '../../store/index.js';
import { askDaemon, DEFAULT_SOCKET } from '../control-client.js';
import { exitCodes } from '../exit-codes.js';
import { assertReadable, assertWritable, DEFAULT_STORE } from '../files.js';
import { addHelpPage } from '../help.js';
import type { CommandContext } from '../output.js';

interface RestoreFlags {
  readonly store: string;
  readonly socket: string;
}

/** The log and index of SQLite belong to the database next to them. */
const SUFFIXES = ['-wal', '-shm', ''] as const;
/** Milliseconds. */
const RELOAD = 110_000;

/**
 * Defines `hermetic restore`, which replaces the database with a backup, and makes a
 * running daemon open it. The former database stays next to it.
 */
export function defineRestore(command: Command, context: CommandContext): void {
  command
    .argument('<file>', 'a file written by hermetic backup')
    .option('--store <file>', 'database of the daemon', DEFAULT_STORE)
    .option('--socket <path>', 'control socket of the daemon', DEFAULT_SOCKET)
    .action(async (file: string, flags: RestoreFlags) => {
      assertReadable(file, 'backup');
      await checkBackup(file);
      const kept = replaceStore(file, flags.store);
      await reopen(flags.socket);
      const where = kept === undefined ? '' : `; the former database is ${kept}`;
      context.output.out(`${flags.store} now holds the backup${where}\n`);
    });
  addHelpPage(command, context.output, {
    note: 'A running daemon acknowledges no report during the replacement, and then opens the backup.',
    exitStatus: [
      [exitCodes.good, 'the backup is in place, and a running daemon uses it'],
      [exitCodes.usage, 'the file is not a backup, or cannot be put in place'],
    ],
    examples: ['hermetic restore /var/backups/hermetic.db'],
  });
}

/** Returns the path of the former database. */
function replaceStore(backup: string, store: string): string | undefined {
  assertWritable(store, '--store');
  const target = existsSync(store) ? realpathSync(store) : store;
  const part = `${target}.${process.pid}.part`;
  copyFileSync(backup, part);
  const kept = `${target}.before-${new Date().toISOString().replaceAll(':', '')}`;
  const former = statSync(target, { throwIfNoEntry: false });
  try {
    if (former) {
      chownSync(part, former.uid, former.gid);
      // Moves the log first: without it, the database is complete up to the last
      // checkpoint, whereas SQLite would apply a remaining log to the backup.
      for (const suffix of SUFFIXES)
        if (existsSync(target + suffix)) renameSync(target + suffix, kept + suffix);
    }
    renameSync(part, target);
  } finally {
    rmSync(part, { force: true });
  }
  return former && kept;
}

/**
 * Makes the running daemon open the backup. A daemon that is not running opens the backup
 * when it starts.
 */
async function reopen(socket: string): Promise<void> {
  try {
    const answer = await askDaemon(socket, { do: 'reload' }, RELOAD);
    if (answer.ok) return;
    const [problem] = answer.problems;
    throw new HermeticError('reload-failed', problem?.message ?? '', { fix: problem?.fix ?? '' });
  } catch (error) {
    if (!isHermeticError(error) || error.code !== 'daemon-unreachable') throw error;
  }
}
