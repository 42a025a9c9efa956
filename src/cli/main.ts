#!/usr/bin/env node
import { setMaxListeners } from 'node:events';
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
// A reader that goes away, as in `| head`, is no error.
process.stdout.on('error', ({ code = 'closed' }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit(0);
  process.stderr.write(`hermetic: standard output: ${code} (output-unwritable)\n  Make room, or write somewhere else.\n`);
  process.exit(exitCodes.usage);
});

process.exitCode = await run(process.argv.slice(2), processOutput(), stop.signal);
