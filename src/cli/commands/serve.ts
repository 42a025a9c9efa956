import { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { complain, type Output } from '../output.js';
import { DEFAULT_CONFIG, readConfig } from '../read-config.js';

interface Flags {
  readonly config: string;
  readonly check?: boolean;
}

/**
 * `hermetic serve`: the daemon. SIGHUP reads the configuration anew, SIGTERM and ctrl-C
 * let running work end.
 */
export function serveCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  return new Command('serve')
    .description(
      'run the daemon: answers for Postfix and whatever else the configuration has a section for',
    )
    .option('--config <file>', 'what to run', DEFAULT_CONFIG)
    .option('--check', 'only say what would keep it from starting; nothing is written')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic serve --config /etc/hermetic.yaml --check\n  hermetic serve --config /etc/hermetic.yaml',
    )
    .action(async (flags: Flags) => finish(await serve(flags, output, signal)));
}

async function serve(
  { config: file, check }: Flags,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  // Loaded only when asked for: it brings every job with it.
  const server = await import('../../server/index.js');
  const config = readConfig(file, server.parseConfig, output);
  if (!config) return exitCodes.usage;
  if (check) {
    const quiet = server.createLog({ format: 'plain', write: output.err, now: Date.now });
    const problems = await server.checkStart(config, quiet);
    for (const problem of problems) complain(output, problem);
    if (problems.length > 0) return exitCodes.usage;
    const nothing = Object.values(config.jobs).every((job) => job === undefined) && !config.metrics;
    output.out(
      `${file} is right${nothing ? ', and has no section that anything would run for' : ''}\n`,
    );
    return exitCodes.good;
  }
  const log = server.createLog({ format: config.log.format, write: output.out, now: Date.now });
  const starting = server.startDaemon(config, log);
  // One after the other, and whatever is wrong with the new one, the old one stays in
  // force.
  let work: Promise<unknown> = starting;
  const reload = (): void => {
    work = Promise.all([starting, work])
      .then(async ([daemon]) => {
        const next = readConfig(file, server.parseConfig, output);
        if (next) await daemon.reload(next);
        else
          log.error('reload-failed', {
            error: `${file} is not right; the configuration from before stays in force`,
          });
      })
      .catch((error: unknown) => log.error('reload-failed', { error: (error as Error).message }));
  };
  // From the first moment on: unheard, SIGHUP would end the process.
  process.on('SIGHUP', reload);
  const asked = ended(signal);
  try {
    const daemon = await starting;
    await asked;
    await work;
    await daemon.stop();
  } finally {
    process.off('SIGHUP', reload);
    setTimeout(endWhatStillReads, 2000).unref();
  }
  return exitCodes.good;
}

/**
 * A read of a socket that systemd handed over can be neither called back nor waited for,
 * not even by exit(): the signal ends it as it would have.
 */
function endWhatStillReads(): void {
  process.removeAllListeners('SIGTERM').kill(process.pid, 'SIGTERM');
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    process.once('SIGTERM', () => resolve());
  });
}
