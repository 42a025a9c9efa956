import { HermeticError, wrap } from '../base/index.js';
import { exim } from './exim.js';
import { openSmtpd } from './opensmtpd.js';
import { postfix } from './postfix.js';
import { isFrom, type ConfigPart, type MailServer, type MailServerOptions } from './types.js';

export type { ConfigPart, ConfigSetting, MailServerOptions } from './types.js';
export type MailServerName = 'postfix' | 'exim' | 'opensmtpd';

/** The mail servers whose settings are known here. */
export const mailServers: Readonly<Record<MailServerName, MailServer>> = {
  postfix,
  exim,
  opensmtpd: openSmtpd,
};

/**
 * TLS settings of a mail server for port 25, in both directions: [9325-3.1.1-1] TLS 1.2
 * and 1.3 alone, [9325-4.1-1] with forward secrecy and AEAD, to be had by everybody and
 * demanded of nobody (RFC 3207 §4), no key exchange of RFC 10015
 * [10015-2-3, 10015-3-2, 10015-4-2]; [9325-5.2-1] where it sends, nothing is narrowed
 * that would turn into clear text. Pure. Throws HermeticError for what the server cannot
 * be told.
 */
export function mailServerConfig(
  name: MailServerName,
  options: MailServerOptions,
): readonly ConfigPart[] {
  const server = mailServers[name];
  const { version = server.oldest, certificates } = options;
  const refuse = (why: string, fix: string): never => {
    throw new HermeticError('config-impossible', `${name}: ${why}`, { fix });
  };
  if (!isFrom(version, ...server.oldest))
    refuse(
      `${version.join('.')} is older than ${server.oldest.join('.')}`,
      'Upgrade the server: older versions no longer receive fixes.',
    );
  if (certificates.length > 1 && !server.manyKeys)
    refuse(
      'one certificate a name',
      'Give one --cert and one --key; ECDSA P-256 is the better choice.',
    );
  if (name !== 'postfix' && options.policies !== undefined)
    refuse('it asks nobody for policies', 'Leave --policies out.');
  if (options.sessions !== undefined && (name !== 'postfix' || !isFrom(version, 3, 10)))
    refuse(
      'it tells nobody of its sessions',
      'Postfix does, from 3.10 on: give --version 3.10, or leave --sessions out.',
    );
  return server.parts({ ...options, version });
}

/** The settings as text to paste, with the reasons as comments. */
export function formatMailServerConfig(parts: readonly ConfigPart[]): string {
  const comment = (text: string): readonly string[] => wrap(text, 78).map((line) => `# ${line}`);
  return parts
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
