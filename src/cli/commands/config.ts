import { Argument, Command, Option } from 'commander';
import { parseDomain } from '../../base/index.js';
import { mozillaSettings } from '../../check/index.js';
import {
  formatMailServerConfig,
  mailServerConfig,
  mailServers,
  type MailServerName,
} from '../../mta-config/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { formatJson } from '../format-json.js';
import { misuse } from './resolver-options.js';

interface Flags {
  readonly host: string;
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
  readonly version?: string;
  readonly library?: 'gnutls' | 'openssl';
  readonly listen?: readonly string[];
  readonly policies?: string;
  readonly sessions?: string;
  readonly json?: boolean;
}

const PROFILE = 'mozilla-intermediate-6.0';
const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

/** `hermetic config`: the TLS settings of a mail server, ready to paste. */
export function configCommand(output: Output, finish: (code: number) => void): Command {
  return new Command('config')
    .description('print the TLS settings of a mail server, ready to paste')
    .addArgument(new Argument('<server>', 'the program').choices(Object.keys(mailServers)))
    .option('--host <name>', 'its name in the MX records', 'mx1.example.com')
    .option(
      '--version <number>',
      'its version, such as 3.7: settings that only newer ones know come with it',
    )
    .option(
      '--cert <file>',
      'certificate with its chain, PEM; repeatable, with a key each',
      collect,
    )
    .option('--key <file>', 'its key', collect)
    .addOption(
      new Option('--library <name>', 'what Exim was built with: Debian takes GnuTLS').choices([
        'gnutls',
        'openssl',
      ]),
    )
    .option('--listen <address>', 'where OpenSMTPD listens; repeatable', collect)
    .option(
      '--policies <address>',
      'Postfix: where hermetic serve answers, such as inet:127.0.0.1:8461',
    )
    .option(
      '--sessions <socket>',
      'Postfix 3.10: where hermetic serve counts sessions, such as /run/hermetic/tlsrpt',
    )
    .option('--json', 'for machines')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic config postfix --version 3.7 --host mx1.example.com',
    )
    .action((server: MailServerName, flags: Flags) => finish(print(server, flags, output)));
}

function print(name: MailServerName, flags: Flags, output: Output): number {
  const host = parseDomain(plain('--host', flags.host));
  if (!host.ok)
    throw misuse('--host', `${flags.host} is no host name`, 'Write it as mx1.example.com.');
  const letsEncrypt = `/etc/letsencrypt/live/${host.value.toLower()}`;
  const { cert = [], key = [] } = flags;
  if (cert.length !== key.length)
    throw misuse(
      '--cert',
      `${cert.length} certificates and ${key.length} keys`,
      'Give a --key for each --cert, in the same order.',
    );
  const parts = mailServerConfig(name, {
    tls: mozillaSettings,
    host: host.value.toLower(),
    certificates:
      cert.length === 0
        ? [{ chain: `${letsEncrypt}/fullchain.pem`, key: `${letsEncrypt}/privkey.pem` }]
        : cert.map((file, i) => ({
            chain: plain('--cert', file),
            key: plain('--key', key[i] ?? ''),
          })),
    ...(flags.version === undefined ? {} : { version: versionIn(flags.version) }),
    ...(flags.library === undefined ? {} : { library: flags.library }),
    ...(flags.listen === undefined
      ? {}
      : { listen: flags.listen.map((address) => plain('--listen', address)) }),
    ...(flags.policies === undefined ? {} : { policies: plain('--policies', flags.policies) }),
    ...(flags.sessions === undefined ? {} : { sessions: plain('--sessions', flags.sessions) }),
  });
  const { count, apply } = mailServers[name];
  const see = `hermetic check DOMAIN --profile ${PROFILE} --depth inventory`;
  if (flags.json)
    output.out(`${formatJson({ server: name, profile: PROFILE, count, parts, apply, see }, 2)}\n`);
  else
    output.out(
      [
        `# How many sessions of the log would go in clear text with this:\n#   ${count}\n`,
        formatMailServerConfig(parts),
        `# Then: ${apply}\n# See it from outside: ${see}\n`,
      ].join('\n'),
    );
  return exitCodes.good;
}

/** What stands in a configuration file unquoted, in any of them. */
function plain(flag: string, text: string): string {
  if (/^[A-Za-z0-9/._:@*[\]-]{1,500}$/.test(text)) return text;
  throw misuse(
    flag,
    `${text} cannot stand in a configuration file`,
    'Use letters, digits and / . _ : - alone.',
  );
}

function versionIn(text: string): readonly [number, number] {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})(?:\.\d{1,4}|p\d+)*$/.exec(text) ?? [];
  if (major === undefined || minor === undefined)
    throw misuse('--version', `${text} is no version`, 'Write it as 3.7.');
  return [Number(major), Number(minor)];
}
