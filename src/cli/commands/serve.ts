import type { Command } from 'commander';
import type * as ServerModule from '../../server/index.js';
import { exitCodes } from '../exit-codes.js';
import { DEFAULT_CONFIG, isIdle, readConfig } from '../config-files.js';
import { STANDARD_STREAM } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse } from '../options.js';
import { complain, type CommandContext, type Output } from '../output.js';
import { Reloader } from '../reloader.js';
import { packageVersion } from '../version.js';

/** The options of `hermetic serve`. */
interface ServeFlags {
  readonly config: string;
  readonly check?: boolean;
}

/** The part `server`, loaded on demand. */
type ServerPart = typeof ServerModule;

/**
 * Defines `hermetic serve`, which runs the daemon. SIGHUP reloads the configuration;
 * SIGTERM and ctrl-C end the daemon after the running work.
 *
 * Network: listens on the addresses of the configuration, and runs the configured jobs.
 * Standard output: the log. With `--check` nothing is written; every problem of the
 * configuration and of this machine is reported on standard error.
 *
 * Exit status: 0 after SIGTERM or ctrl-C, 2 when the daemon cannot start.
 */
export function defineServe(command: Command, context: CommandContext): void {
  command
    .option('--config <file>', 'configuration', DEFAULT_CONFIG)
    .option('--check', 'report every problem that would prevent a start; write nothing')
    .action(async ({ config, check }: ServeFlags) => {
      // Loads every job of the daemon.
      const server = await import('../../server/index.js');
      context.finish(
        check
          ? await checkConfig(config, server, context.output)
          : await serve(config, server, context),
      );
    });
  addHelpPage(command, context.output, {
    note: 'SIGHUP reloads the configuration. SIGTERM stops the daemon after the running work.',
    exitStatus: [
      [exitCodes.good, 'ended by SIGTERM or ctrl-C; with --check: the daemon can start'],
      [exitCodes.usage, 'the daemon cannot start'],
    ],
    examples: ['hermetic serve --check', 'hermetic serve --config hermetic.yaml'],
  });
}

/** Reports every problem of the configuration and of this machine. */
async function checkConfig(filePath: string, server: ServerPart, output: Output): Promise<number> {
  const config = readConfig(filePath, server.parseConfigFiles, output);
  if (!config) return exitCodes.usage;
  const logger = server.createLog({ format: 'plain', write: output.err, now: Date.now });
  const problems = await server.checkStart(config, logger);
  for (const problem of problems) complain(output, problem);
  if (problems.length > 0) return exitCodes.usage;
  output.out(`${filePath} is valid${isIdle(config) ? ', but no section enables a job' : ''}\n`);
  return exitCodes.good;
}

/**
 * Starts the daemon and returns the exit status once it has ended. SIGTERM and ctrl-C let
 * the running work and a running reload finish first; a reload that has not begun is dropped.
 */
async function serve(
  filePath: string,
  server: ServerPart,
  { output, signal }: CommandContext,
): Promise<number> {
  if (filePath === STANDARD_STREAM)
    throw misuse('--config', 'must be a file: SIGHUP reads it again', 'Specify a file.');
  const config = readConfig(filePath, server.parseConfigFiles, output);
  if (!config) return exitCodes.usage;
  const logger = server.createLog({ format: config.log.format, write: output.out, now: Date.now });
  const reloader = new Reloader(filePath, server, logger);
  const starting = server.startDaemon(config, logger, {
    version: packageVersion(),
    reload: () => reloader.reload(starting),
  });
  // SIGHUP without a listener would end the process, so the listener is added before the
  // daemon runs.
  const onHangup = (): void => void reloader.reload(starting);
  process.on('SIGHUP', onHangup);
  const ended = untilEnded(signal);
  try {
    const daemon = await starting;
    await ended;
    await reloader.end();
    await daemon.stop();
  } finally {
    process.off('SIGHUP', onHangup);
    // Two seconds are enough for an orderly exit; the timer does not delay the exit.
    setTimeout(killStuckReads, 2000).unref();
  }
  return exitCodes.good;
}

/**
 * Ends the process as SIGTERM would: a read of a socket from systemd can be neither
 * cancelled nor awaited, not even by exit().
 */
function killStuckReads(): void {
  process.removeAllListeners('SIGTERM').kill(process.pid, 'SIGTERM');
}

/** Resolves at the first ctrl-C or SIGTERM. */
function untilEnded(abortSignal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (abortSignal.aborted) return resolve();
    abortSignal.addEventListener('abort', () => resolve(), { once: true });
    process.once('SIGTERM', () => resolve());
  });
}
