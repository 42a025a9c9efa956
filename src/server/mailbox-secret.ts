import { execFile } from 'node:child_process';
import { commandFailure, fail, isHermeticError, ok, type Result } from '../base/index.js';
import type { MailboxSecret } from '../tls-rpt-receive/index.js';
import { readSecret } from './secrets.js';

/** Milliseconds within which the token program must end. */
const TOKEN_TIMEOUT = 60_000;
/** Maximum octets of the output of the token program. */
const MAX_TOKEN = 16_384;

/** The source of a secret: a file with a password, or a program that prints a token. */
export interface MailboxSecretSource {
  readonly password?: string | undefined;
  /** The token program with its arguments. */
  readonly tokenCommand?: readonly string[] | undefined;
}

/**
 * Returns the secret of a mailbox. Called for each connection, since passwords and tokens
 * change.
 */
export async function obtainMailboxSecret(
  { password, tokenCommand }: MailboxSecretSource,
  signal: AbortSignal,
): Promise<Result<MailboxSecret>> {
  if (tokenCommand) return runTokenCommand(tokenCommand, signal);
  try {
    return ok({ password: readSecret(password ?? '').replace(/\r?\n$/, '') });
  } catch (error) {
    if (!isHermeticError(error)) throw error;
    return refuse(error.message);
  }
}

/**
 * Returns the failure `mailbox-secret`. Loads the texts of failures on demand, because a
 * daemon without mailboxes does not need them.
 */
async function refuse(detail: string): Promise<Result<never>> {
  const { intakeFailures } = await import('../tls-rpt-receive/index.js');
  return fail(intakeFailures.make('mailbox-secret', detail));
}

/**
 * Runs the command and returns its standard output as the token. Messages never contain
 * the token.
 */
function runTokenCommand(
  [command = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<Result<MailboxSecret>> {
  const options = {
    timeout: TOKEN_TIMEOUT,
    maxBuffer: MAX_TOKEN,
    killSignal: 'SIGKILL',
    signal,
  } as const;
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const accessToken = stdout.trim();
      if (error) resolve(refuse(commandFailure(command, error, stderr, TOKEN_TIMEOUT)));
      // A token may contain only these characters (RFC 6750 §2.1).
      else if (!/^[\w.~+/-]+=*$/.test(accessToken))
        resolve(refuse(`${command} printed no access token`));
      else resolve(ok({ accessToken }));
    });
  });
}
