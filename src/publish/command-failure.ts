import type { ExecFileException } from 'node:child_process';
import { describeSystemError } from '../base/index.js';

/** Characters of its standard error that are shown. */
const MAX_SHOWN = 500;

/**
 * Why a command of the operator failed, in one line: how it ended, and its own last
 * words.
 */
export function commandFailure(
  command: string,
  error: ExecFileException,
  stderr: string,
  timeoutMs: number,
): string {
  const words = stderr.trim().slice(-MAX_SHOWN);
  return `${command}: ${ending(error, timeoutMs)}${words === '' ? '' : `: ${words}`}`;
}

function ending(error: ExecFileException, timeoutMs: number): string {
  const { code, killed, signal } = error;
  if (typeof code === 'number') return `exit status ${code}`;
  if (code === 'ABORT_ERR') return 'stopped, because this process ends';
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'stopped, because it printed too much';
  if (typeof code === 'string') return describeSystemError(error).message;
  if (killed === true) return `did not end within ${timeoutMs / 1000} s`;
  return signal ? `ended by ${signal}` : error.message;
}
