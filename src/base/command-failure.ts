import type { ExecFileException } from 'node:child_process';
import { describeSystemError } from './system-error.js';

/** Maximum length of the standard error that a message shows, in characters. */
const MAX_SHOWN = 500;

/**
 * Describes in one line why a command of the operator failed: its exit status or signal,
 * and the end of its standard error.
 */
export function commandFailure(
  command: string,
  error: ExecFileException,
  stderr: string,
  timeoutMs: number,
): string {
  const message = stderr.trim().slice(-MAX_SHOWN);
  const parts = [command, ending(error, timeoutMs), message];
  return parts.filter((part) => part !== '').join(': ');
}

function ending(error: ExecFileException, timeoutMs: number): string {
  const { code, killed, signal } = error;
  if (typeof code === 'number') return `exit status ${code}`;
  if (code === 'ABORT_ERR') return 'was stopped, because Hermetic ends';
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return 'Hermetic stopped it, because it printed too much';
  if (typeof code === 'string') return describeSystemError(error).message;
  if (killed === true) return `did not end within ${timeoutMs / 1000} s`;
  return signal ? `ended by ${signal}` : error.message;
}
