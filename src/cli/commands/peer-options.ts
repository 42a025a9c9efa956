import type { Command } from 'commander';
import { misuse, readNumber } from './resolver-options.js';

/** Flags of every command that talks to mail servers. */
export interface PeerFlags {
  readonly smtpPort: string;
  readonly httpsPort: string;
  readonly helo?: string;
  readonly timeout: string;
  readonly lab?: boolean;
}

/** Adds them to a command. */
export function withPeers(command: Command, timeout: string): Command {
  return command
    .option('--smtp-port <n>', 'port of the mail hosts', '25')
    .option('--https-port <n>', 'port of the policy host', '443')
    .option('--helo <name>', 'name said in EHLO')
    .option('--timeout <seconds>', 'for each step that waits for a peer', timeout)
    .option('--lab', 'in the built-in lab');
}

/** What they say. Throws HermeticError with what to do for each that does not fit. */
export function readPeerFlags({ smtpPort, httpsPort, timeout, helo }: PeerFlags): {
  readonly smtpPort: number;
  readonly httpsPort: number;
  readonly timeoutMs: number;
  readonly helo?: string;
} {
  return {
    smtpPort: readNumber('--smtp-port', smtpPort, 1, 65535),
    httpsPort: readNumber('--https-port', httpsPort, 1, 65535),
    timeoutMs: 1000 * readNumber('--timeout', timeout, 0.1, 600),
    ...(helo === undefined ? {} : { helo: heloName(helo) }),
  };
}

function heloName(text: string): string {
  if (/^[A-Za-z0-9.:[\]-]{1,255}$/.test(text)) return text;
  throw misuse(
    '--helo',
    'not a host name',
    'Give the name of this machine, such as mail.example.com.',
  );
}
