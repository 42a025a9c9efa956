import type { Command } from 'commander';
import type * as ServerModule from '../../server/index.js';
import type { Daemon, Log } from '../../server/index.js';
import { exitCodes } from '../exit-codes.js';
import { DEFAULT_CONFIG, readConfig, readFile, STANDARD_STREAM } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse } from '../options.js';
import { complain, type CommandContext, type Output } from '../output.js';

interface ServeFlags {
  readonly config: string;
  readonly check?: boolean;
}

type ServerPart = typeof ServerModule;

/**
 * `hermetic serve`: runs the daemon. SIGHUP reloads the configuration; SIGTERM and ctrl-C
 * end the daemon after the running work.
 */
export function defineServe(command: Command, context: CommandContext): void {
  command
    .option('--config <file>', 'configuration', DEFAULT_CONFIG)
    .option('--check', 'report what would keep the daemon from starting; write nothing')
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
    note: 'SIGHUP reloads the configuration. SIGTERM ends the daemon after the running work.',
    exitStatus: [
      [exitCodes.good, 'ended by SIGTERM or ctrl-C; with --check: the daemon can start'],
      [exitCodes.usage, 'the daemon cannot start'],
    ],
    examples: [
      'hermetic serve --config /etc/hermetic.yaml --check',
      'hermetic serve --config /etc/hermetic.yaml',
    ],
  });
}

/** Reports every problem of the configuration and of the machine it is for. */
async function checkConfig(file: string, server: ServerPart, output: Output): Promise<number> {
  const config = readConfig(file, server.parseConfig, output);
  if (!config) return exitCodes.usage;
  const log = server.createLog({ format: 'plain', write: output.err, now: Date.now });
  const problems = await server.checkStart(config, log);
  for (const problem of problems) complain(output, problem);
  if (problems.length > 0) return exitCodes.usage;
  const isIdle = !config.metrics && Object.values(config.jobs).every((job) => job === undefined);
  output.out(`${file} is valid${isIdle ? ', but no section enables a job' : ''}\n`);
  return exitCodes.good;
}

async function serve(
  file: string,
  server: ServerPart,
  { output, signal }: CommandContext,
): Promise<number> {
  if (file === STANDARD_STREAM)
    throw misuse('--config', 'must be a file: SIGHUP reads it again', 'Name a file.');
  const config = readConfig(file, server.parseConfig, output);
  if (!config) return exitCodes.usage;
  const log = server.createLog({ format: config.log.format, write: output.out, now: Date.now });
  const reloader = new Reloader(file, server, log);
  const starting = server.startDaemon(config, log);
  // SIGHUP without a listener would end the process, so it listens before the daemon runs.
  const onHangup = (): void => reloader.reload(starting);
  process.on('SIGHUP', onHangup);
  const ended = untilEnded(signal);
  try {
    const daemon = await starting;
    await ended;
    await reloader.idle();
    await daemon.stop();
  } finally {
    process.off('SIGHUP', onHangup);
    setTimeout(killStuckReads, 2000).unref();
  }
  return exitCodes.good;
}

/** Reloads one after another; an invalid configuration leaves the old one active. */
class Reloader {
  readonly #file: string;
  readonly #server: ServerPart;
  readonly #log: Log;
  #work: Promise<void> = Promise.resolve();

  constructor(file: string, server: ServerPart, log: Log) {
    this.#file = file;
    this.#server = server;
    this.#log = log;
  }

  reload(starting: Promise<Daemon>): void {
    this.#work = Promise.all([starting, this.#work])
      .then(([daemon]) => this.#reload(daemon))
      .catch((error: unknown) =>
        this.#log.error('reload-failed', { error: (error as Error).message }),
      );
  }

  /** Resolves when no reload is running. */
  idle(): Promise<void> {
    return this.#work;
  }

  async #reload(daemon: Daemon): Promise<void> {
    const parsed = this.#server.parseConfig(readFile(this.#file, '--config'));
    if (parsed.ok) return daemon.reload(parsed.value);
    const effect = 'the old configuration stays active';
    for (const { line, path, says, fix } of parsed.failure.slice(0, MAX_LOGGED_PROBLEMS))
      this.#log.error('reload-failed', { file: this.#file, line, path, says, fix, effect });
  }
}

const MAX_LOGGED_PROBLEMS = 20;

/**
 * Ends the process as SIGTERM would: a read of a socket from systemd can be neither
 * cancelled nor awaited, not even by exit().
 */
function killStuckReads(): void {
  process.removeAllListeners('SIGTERM').kill(process.pid, 'SIGTERM');
}

function untilEnded(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    process.once('SIGTERM', () => resolve());
  });
}
