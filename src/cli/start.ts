import { setMaxListeners } from 'node:events';
import { describeSystemError } from '../base/index.js';
import { exitCodes } from './exit-codes.js';
import { processOutput } from './output.js';
import { run } from './run.js';

/**
 * Runs the command line of this process and sets its exit status. The first ctrl-C aborts
 * the work and lets the command report finished work; the second ends the process.
 */
export async function start(): Promise<void> {
  const interruption = new AbortController();
  // Every connection of every domain adds a listener to this signal.
  setMaxListeners(0, interruption.signal);
  process.once('SIGINT', () => {
    interruption.abort(new Error('interrupted'));
    process.once('SIGINT', () => process.exit(exitCodes.interrupted));
  });
  // A reader that closes the pipe, as `| head` does, is not an error: the command exits
  // with its usual status.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    const { message: says, fix } = describeSystemError(error);
    process.stderr.write(`hermetic: standard output: ${says} (output-unwritable)\n  ${fix}\n`);
    process.exit(exitCodes.usage);
  });
  process.stderr.on('error', () => undefined);
  process.exitCode = await run(process.argv.slice(2), processOutput(), interruption.signal);
}
