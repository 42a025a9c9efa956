#!/usr/bin/env node
import { setMaxListeners } from 'node:events';
import { describeSystemError } from '../base/index.js';
import { exitCodes } from './exit-codes.js';
import { processOutput } from './output.js';
import { run } from './run.js';

const stop = new AbortController();
// Every connection of every domain listens.
setMaxListeners(0, stop.signal);
process.once('SIGINT', () => {
  stop.abort(new Error('interrupted'));
  // A second ctrl-C, or anything that does not listen, ends at once.
  process.once('SIGINT', () => process.exit(130));
});
// A reader that goes away, as in `| head`, is no error: the work ends as it would have,
// and so does its exit status.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  const { says, fix } = describeSystemError(error);
  process.stderr.write(`hermetic: standard output: ${says} (output-unwritable)\n  ${fix}\n`);
  process.exit(exitCodes.usage);
});
process.stderr.on('error', () => undefined);

process.exitCode = await run(process.argv.slice(2), processOutput(), stop.signal);
