import type { Command } from 'commander';
import { isHermeticError, neutralise } from '../../base/index.js';
import type { DaemonStatus } from '../../server/index.js';
import { askDaemon, DEFAULT_SOCKET } from '../control-client.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { readOptionalNumber } from '../options.js';
import { complain, formatJson, type CommandContext, type Output } from '../output.js';

interface StatusFlags {
  readonly socket: string;
  readonly json?: boolean;
  readonly wait?: string;
}

/** Time limit of one answer, milliseconds. */
const ANSWER = 5000;
/** Milliseconds between two attempts of `--wait`. */
const PAUSE = 100;

/** Defines `hermetic status`, which shows the state of the running daemon. */
export function defineStatus(command: Command, context: CommandContext): void {
  command
    .option('--socket <path>', 'control socket of the daemon', DEFAULT_SOCKET)
    .option('--wait <seconds>', 'wait until the daemon is ready')
    .option('--json', 'print hermetic.status/1')
    .action(async (statusFlags: StatusFlags) =>
      context.finish(await showStatus(statusFlags, context)),
    );
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'the daemon is ready'],
      [exitCodes.fail, 'the daemon is ready, and a job is degraded'],
      [exitCodes.usage, 'the daemon does not answer'],
    ],
    examples: ['hermetic status', 'hermetic status --wait 60'],
  });
}

async function showStatus(
  statusFlags: StatusFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  const wait = readOptionalNumber('--wait', statusFlags.wait, { least: 1, most: 3600 }) ?? 0;
  const until = performance.now() + wait * 1000;
  for (;;) {
    try {
      const controlAnswer = await askDaemon(statusFlags.socket, { do: 'status' }, ANSWER);
      if (controlAnswer.ok && (controlAnswer.status.ready || statusFlags.wait === undefined))
        return print(controlAnswer.status, statusFlags, output);
    } catch (error) {
      if (!isHermeticError(error)) throw error;
      if (performance.now() >= until || !isStarting()) {
        complain(output, error);
        return exitCodes.usage;
      }
    }
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/**
 * Returns whether the process of the daemon can still become ready. systemd passes the
 * process id to `ExecStartPost=`; a process that has ended will not become ready.
 */
function isStarting(): boolean {
  const pid = Number(process.env['MAINPID']);
  if (!Number.isInteger(pid) || pid <= 0) return true;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function print(daemonStatus: DaemonStatus, { json, wait }: StatusFlags, output: Output): number {
  const { degraded } = daemonStatus;
  if (json) output.out(`${formatJson(daemonStatus, 2)}\n`);
  else if (wait === undefined) output.out(formatStatus(daemonStatus));
  // A degraded daemon is ready: systemd would stop it if `--wait` failed.
  if (degraded.length === 0 || wait !== undefined) return exitCodes.good;
  return exitCodes.fail;
}

function formatStatus(daemonStatus: DaemonStatus): string {
  const { version, node, pid, startedAt, ready, degraded, jobs, listening, lastReload } =
    daemonStatus;
  const reloads = lastReload?.problems.map(({ message }) => `  ${message}`) ?? [];
  const outcome = reloads.length === 0 ? 'succeeded' : 'failed:';
  const outputLines = [
    `${ready ? 'ready' : 'not ready'}, version ${version}, Node.js ${node}, process ${pid}, since ${startedAt}`,
    `jobs: ${jobs.join(', ') || 'none'}`,
    ...listening.map(({ what, at }) => `listening: ${what} at ${at}`),
    ...degraded.map(({ job, code, subject }) => {
      const name = subject === undefined ? '' : `, ${neutralise(subject)}`;
      return `degraded: ${job} (${code})${name}`;
    }),
    ...(lastReload ? [`last reload: ${lastReload.at}, ${outcome}`] : []),
    ...reloads,
  ];
  return `${outputLines.join('\n')}\n`;
}
