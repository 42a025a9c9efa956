import { execFile } from 'node:child_process';
import { commandFailure } from '../../base/index.js';
import type { ActionOutcome } from '../actions.js';

const MINUTE = 60_000;

/**
 * Runs the reload command of a mail server, without a shell, for at most a minute. A
 * command that runs longer is killed and counts as failed.
 */
export function runReload(
  [command = '', ...args]: readonly string[],
  signal?: AbortSignal,
  timeout = MINUTE,
): Promise<ActionOutcome> {
  return new Promise((resolve) => {
    const options = { timeout, killSignal: 'SIGKILL', signal } as const;
    execFile(command, args, options, (error, _stdout, stderr) => {
      if (!error) return resolve({ status: 'done' });
      const detail = commandFailure(command, error, stderr, timeout);
      resolve({ status: 'failed', code: 'publish-reload-failed', detail });
    });
  });
}
