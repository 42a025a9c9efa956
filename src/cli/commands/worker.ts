import type { Command } from 'commander';
import { keepHeapSmall, neutralise } from '../../base/index.js';
import { runWorker } from '../../scan/index.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import type { CommandContext } from '../output.js';
import { withDatabase, withScanDatabase, type ScanDatabaseFlags } from '../scan/scan-database.js';
import { readWorker, withWorker, type WorkerFlags } from './worker-options.js';

/**
 * Defines `hermetic worker`, which works on the running scans of a database until it is
 * stopped.
 *
 * Network: DNS, SMTP and HTTPS as `hermetic check --depth triage`, and PostgreSQL. Any
 * number of workers may share a database; each may be stopped or killed at any moment.
 * Standard error: temporary faults, one line each. Exit status: 0 after a stop.
 */
export function defineWorker(command: Command, context: CommandContext): void {
  const { output, signal } = context;
  withWorker(withScanDatabase(command)).action(async (flags: WorkerFlags & ScanDatabaseFlags) => {
    keepHeapSmall();
    const { work, rules } = readWorker(flags, undefined);
    const onError = (error: Error): void =>
      output.err(`hermetic worker: ${neutralise(error.message, 400)}\n`);
    await withDatabase(
      flags,
      (database) => runWorker({ database, work, rules, signal: stopSignal(signal), onError }),
      { create: true, onError },
    );
    context.finish(exitCodes.good);
  });
  addHelpPage(command, output, {
    note: 'Ctrl-C and SIGTERM stop a worker: it finishes the running visits and claims no other visits.',
    examples: ['hermetic worker --database postgres://scan@db.example.com/scans'],
  });
}

/** Returns a signal that ctrl-C and SIGTERM abort. */
export function stopSignal(signal: AbortSignal): AbortSignal {
  const terminated = new AbortController();
  process.once('SIGTERM', () => terminated.abort());
  return AbortSignal.any([signal, terminated.signal]);
}
