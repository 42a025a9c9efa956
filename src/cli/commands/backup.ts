import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import type { Command } from 'commander';
import { HermeticError } from '../../base/index.js';
import { backUpStore } from '../../store/index.js';
import { exitCodes } from '../exit-codes.js';
import { assertWritable, DEFAULT_STORE } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse } from '../options.js';
import type { CommandContext } from '../output.js';

/**
 * Defines `hermetic backup`, which saves a consistent copy of the database of a running
 * daemon.
 */
export function defineBackup(command: Command, { output }: CommandContext): void {
  command
    .argument('<file>', 'the copy; it must not exist')
    .option('--store <file>', 'database of the daemon', DEFAULT_STORE)
    .action(async (file: string, { store }: { readonly store: string }) => {
      if (file === '-') throw misuse('file', 'a database cannot be a stream', 'Specify a file.');
      assertWritable(file, 'backup');
      if (existsSync(file))
        throw new HermeticError('file-unwritable', `backup ${file}: the file exists`, {
          fix: 'Specify a file that does not exist.',
        });
      const part = `${file}.${process.pid}.part`;
      try {
        await backUpStore(store, part);
        syncFile(part);
        renameSync(part, file);
      } finally {
        rmSync(part, { force: true });
      }
      output.out(`${file} holds the current database\n`);
    });
  addHelpPage(command, output, {
    note: 'The keys of publish.keys are separate files: copy that folder too.',
    exitStatus: [
      [exitCodes.good, 'the copy is complete and on disk'],
      [exitCodes.usage, 'the database cannot be read, or the copy cannot be written'],
    ],
    examples: ['hermetic backup /var/backups/hermetic.db'],
  });
}

/**
 * Writes the copy to disk. No process holds a lock on the copy, because it is a separate
 * file.
 */
function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
