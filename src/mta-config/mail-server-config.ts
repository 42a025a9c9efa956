import { HermeticError, wrap } from '../base/index.js';
import { exim } from './exim.js';
import { openSmtpd } from './opensmtpd.js';
import { postfix } from './postfix.js';
import {
  isAtLeast,
  type ConfigPart,
  type MailServerKind,
  type MailServerTlsOptions,
} from './types.js';

export type { ConfigPart, ConfigSetting, MailServerTlsOptions } from './types.js';
/** Names of the supported mail servers, as on the command line. */
export type MailServerName = 'postfix' | 'exim' | 'opensmtpd';

/** The supported mail servers. */
export const mailServers: Readonly<Record<MailServerName, MailServerKind>> = {
  postfix,
  exim,
  opensmtpd: openSmtpd,
};

/**
 * Returns the TLS settings of a mail server for port 25, in both directions.
 *
 * Receiving: only TLS 1.2 and 1.3 [9325-3.1.1-1], with forward secrecy and AEAD
 * [9325-4.1-1]; STARTTLS is offered to every client and required from none (RFC 3207 §4);
 * no key exchange of RFC 10015 [10015-2-3, 10015-3-2, 10015-4-2].
 *
 * Sending: suites are not restricted, because a server without a common suite would get
 * the mail in plaintext [9325-5.2-1].
 *
 * Pure. Throws HermeticError for options that the server does not support.
 */
export function mailServerConfig(
  mailServerName: MailServerName,
  options: MailServerTlsOptions,
): readonly ConfigPart[] {
  const server = mailServers[mailServerName];
  const { version = server.oldest, certificates } = options;
  const refuse = (reason: string, fix: string): never => {
    throw new HermeticError('config-impossible', `${mailServerName}: ${reason}`, { fix });
  };
  if (!isAtLeast(version, ...server.oldest))
    refuse(
      `${version.join('.')} is older than ${server.oldest.join('.')}`,
      'Upgrade the server: older versions no longer receive fixes.',
    );
  if (certificates.length > 1 && !server.manyKeys)
    refuse(
      'it supports one certificate for each name',
      'Use one --cert and one --key; ECDSA P-256 is the better choice.',
    );
  if (mailServerName !== 'postfix' && options.policies !== undefined)
    refuse('it cannot look up policies', 'Omit --policies.');
  if (
    options.sessions !== undefined &&
    (mailServerName !== 'postfix' || !isAtLeast(version, 3, 10))
  )
    refuse(
      'it cannot report its sessions',
      'Use Postfix 3.10 or later with --version 3.10, or omit --sessions.',
    );
  return server.parts({ ...options, version });
}

/** Formats the settings as lines to paste, with the reasons as comments. */
export function formatMailServerConfig(configParts: readonly ConfigPart[]): string {
  const comment = (text: string): readonly string[] => wrap(text, 78).map((line) => `# ${line}`);
  return configParts
    .map(({ place, settings }) =>
      [
        ...comment(`${place}.`),
        ...settings.flatMap(({ why, lines }) => ['', ...comment(why), ...lines]),
      ]
        .map((line) => `${line}\n`)
        .join(''),
    )
    .join('\n');
}
