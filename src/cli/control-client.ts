import { describeSystemError, HermeticError } from '../base/index.js';
import { askSocket } from '../net/index.js';
import type { ControlAnswer, ControlRequest } from '../server/index.js';

/** Path of the control socket of the packaged daemon. */
export const DEFAULT_SOCKET = '/run/hermetic/control.sock';

const MAX_ANSWER = 1024 * 1024;

/**
 * Sends a request to the running daemon. Throws HermeticError `daemon-unreachable`
 * without an answer: the daemon does not run, or this user may not control it.
 */
export async function askDaemon(
  filePath: string,
  request: ControlRequest,
  timeoutMs: number,
): Promise<ControlAnswer> {
  const text = `${JSON.stringify(request)}\n`;
  try {
    return JSON.parse(
      await askSocket({ path: filePath, text, timeoutMs, maxBytes: MAX_ANSWER }),
    ) as ControlAnswer;
  } catch (cause) {
    throw unreachable(filePath, cause as NodeJS.ErrnoException);
  }
}

function unreachable(filePath: string, cause: NodeJS.ErrnoException): HermeticError {
  const error = (message: string, fix: string): HermeticError =>
    new HermeticError('daemon-unreachable', `${filePath}: ${message}`, { cause, fix });
  switch (cause.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return error('the daemon is not running', 'Start it: systemctl start hermetic');
    case 'EACCES':
      return error(
        'this user may not control the daemon',
        'Run the command as root, or as a member of the group hermetic.',
      );
    case 'ETIMEDOUT':
      return error('the daemon does not answer', 'Read its log: journalctl -u hermetic');
    case undefined:
      return error(
        'the answer did not come from a hermetic daemon',
        'Specify the control socket with --socket.',
      );
    default: {
      const { message, fix } = describeSystemError(cause);
      return error(message, fix);
    }
  }
}
