import type { Command } from 'commander';
import { misuse, readNumber } from '../options.js';

/**
 * Flags of every command that talks to mail servers.
 *
 * Ports and times are text, as typed; {@link readPeerFlags} validates them.
 */
export interface PeerFlags {
  readonly smtpPort: string;
  readonly httpsPort: string;
  readonly helo?: string;
  readonly timeout: string;
  readonly lab?: boolean;
}

/**
 * Adds the options of connections to a command. `timeout`: its default, in seconds.
 *
 * Port 25 is the port between mail servers (RFC 5321 §4.5.4.2); other ports are for test
 * installations. The timeout bounds each step of a peer, not the whole check.
 */
export function withPeers(command: Command, timeout: string): Command {
  return command
    .optionsGroup('Connections:')
    .option('--lab', 'use the built-in lab instead of the network')
    .option('--smtp-port <n>', 'connect to mail hosts on this port', '25')
    .option('--https-port <n>', 'fetch MTA-STS policies from this port', '443')
    .option('--helo <name>', 'send this name in EHLO (default: the host name)')
    .option('--timeout <seconds>', 'wait this long for each step of a peer', timeout);
}

/**
 * Reads the connection flags. Throws HermeticError for each invalid flag.
 *
 * Ports are 1 to 65535. The timeout is 0.1 to 600 seconds, and is returned in
 * milliseconds.
 */
export function readPeerFlags({ smtpPort, httpsPort, timeout, helo }: PeerFlags): {
  readonly smtpPort: number;
  readonly httpsPort: number;
  readonly timeoutMs: number;
  readonly helo?: string;
} {
  const port = { least: 1, most: 65_535 };
  const settings = {
    smtpPort: readNumber('--smtp-port', smtpPort, port),
    httpsPort: readNumber('--https-port', httpsPort, port),
    timeoutMs: 1000 * readNumber('--timeout', timeout, { least: 0.1, most: 600, fractions: true }),
  };
  if (helo === undefined) return settings;
  return { ...settings, helo: readHelo(helo) };
}

/**
 * Validates the name for EHLO: a domain or an address literal (RFC 5321 §4.1.1.1). A line
 * feed in the name would start a second SMTP command.
 */
function readHelo(optionText: string): string {
  if (/^[A-Za-z0-9.:[\]-]{1,255}$/.test(optionText)) return optionText;
  throw misuse(
    '--helo',
    'not a host name',
    'Use the name of this machine, such as mail.example.com.',
  );
}
