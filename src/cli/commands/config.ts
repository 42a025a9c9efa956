import { Argument, Option, type Command } from 'commander';
import { parseDomain } from '../../base/index.js';
import { mozillaSettings } from '../../check/index.js';
import {
  formatMailServerConfig,
  mailServerConfig,
  mailServers,
  type MailServerName,
} from '../../mta-config/index.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { collectValues, misuse, present, readWord } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';

/**
 * The options of `hermetic config`. Every option becomes part of a configuration file.
 */
interface ConfigFlags {
  readonly host: string;
  /** PEM files of certificate chains; the n-th chain belongs to the n-th `key`. */
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
  /** Version of the server: settings that this version does not support are omitted. */
  readonly version?: string;
  /** TLS library of this Exim; OpenSSL and GnuTLS need different cipher strings. */
  readonly library?: 'gnutls' | 'openssl';
  /**
   * Addresses on which OpenSMTPD listens: its `listen on` lines carry the TLS settings.
   */
  readonly listen?: readonly string[];
  /** Socketmap of `hermetic serve`, where Postfix looks up the policy of each domain. */
  readonly policies?: string;
  /**
   * Socket on which `hermetic serve` counts the TLS sessions of Postfix for TLS reports.
   */
  readonly sessions?: string;
  readonly json?: boolean;
}

/** The profile that the printed settings satisfy. */
const PROFILE = 'mozilla-intermediate-6.0';

const serverNames = Object.keys(mailServers) as MailServerName[];

/**
 * Defines `hermetic config`, which prints the TLS settings of a mail server, ready to
 * paste.
 *
 * Offline: the command reads no files and contacts no server. Standard output is one
 * block that can be pasted: comments, the settings, and the commands that count affected
 * sessions first and check the result afterwards. Exit status: 0, or 2 for an invalid
 * option.
 */
export function defineConfig(command: Command, { output, finish }: CommandContext): void {
  command
    .addArgument(new Argument('<server>', `the mail server: ${serverNames.join(', ')}`))
    .option('--host <name>', 'name of the server in the MX records', 'mx1.example.com')
    .option('--version <number>', 'version of the server, such as 3.7: adds its newer settings')
    .option('--cert <file>', 'certificate with its chain, PEM; repeatable', collectValues)
    .option('--key <file>', 'private key, one for each --cert', collectValues)
    .addOption(
      new Option('--library <name>', 'TLS library of Exim; Debian uses gnutls').choices([
        'gnutls',
        'openssl',
      ]),
    )
    .option('--listen <address>', 'address that OpenSMTPD listens on; repeatable', collectValues)
    .option(
      '--policies <address>',
      'address on which hermetic serve answers Postfix, such as inet:127.0.0.1:8461',
    )
    .option(
      '--sessions <socket>',
      'socket on which hermetic serve counts sessions of Postfix 3.10, such as /run/hermetic/tlsrpt',
    )
    .option('--json', 'print JSON')
    .action((server: string, configFlags: ConfigFlags) =>
      finish(print(readWord('server', server, serverNames), configFlags, output)),
    );
  addHelpPage(command, output, {
    examples: ['hermetic config postfix --version 3.7 --host mx1.example.com'],
  });
}

/**
 * Prints the settings and returns the exit status. Without `--cert` the paths are those
 * of certbot, so that the text is complete for the most common installation.
 */
function print(mailServerName: MailServerName, configFlags: ConfigFlags, output: Output): number {
  const parsedHost = parseDomain(plain('--host', configFlags.host));
  if (!parsedHost.ok)
    throw misuse(
      '--host',
      `${configFlags.host} is not a host name`,
      'Write it as mx1.example.com.',
    );
  const letsEncrypt = `/etc/letsencrypt/live/${parsedHost.value.toLower()}`;
  const { cert = [], key = [] } = configFlags;
  if (cert.length !== key.length)
    throw misuse(
      '--cert',
      `${cert.length} --cert and ${key.length} --key`,
      'Give one --key for each --cert, in the same order.',
    );
  const { version, library, listen, policies, sessions } = configFlags;
  const configParts = mailServerConfig(
    mailServerName,
    present({
      tls: mozillaSettings,
      host: parsedHost.value.toLower(),
      certificates:
        cert.length === 0
          ? [{ chain: `${letsEncrypt}/fullchain.pem`, key: `${letsEncrypt}/privkey.pem` }]
          : cert.map((filePath, index) => ({
              chain: plain('--cert', filePath),
              key: plain('--key', key[index] ?? ''),
            })),
      version: version === undefined ? undefined : readVersion(version),
      library,
      listen: listen?.map((address) => plain('--listen', address)),
      policies: policies === undefined ? undefined : plain('--policies', policies),
      sessions: sessions === undefined ? undefined : plain('--sessions', sessions),
    }),
  );
  const { count, apply } = mailServers[mailServerName];
  const see = `hermetic check DOMAIN --profile ${PROFILE} --depth inventory`;
  if (configFlags.json)
    output.out(
      `${formatJson({ server: mailServerName, profile: PROFILE, count, parts: configParts, apply, see }, 2)}\n`,
    );
  else
    output.out(
      [
        `# Count the sessions in the log that these settings would break:\n#   ${count}\n`,
        formatMailServerConfig(configParts),
        `# Then apply them: ${apply}\n# Check them from outside: ${see}\n`,
      ].join('\n'),
    );
  return exitCodes.good;
}

/**
 * Returns text that needs no quotes in any configuration file. Throws HermeticError for
 * any other text.
 *
 * Operators paste the printed text into files of several grammars. Refusing quotes,
 * spaces and `$` is simpler and safer than quoting for each grammar.
 */
function plain(option: string, sourceText: string): string {
  if (/^[A-Za-z0-9/._:@*[\]-]{1,500}$/.test(sourceText)) return sourceText;
  throw misuse(
    option,
    `${sourceText} contains a character that must be quoted in a configuration file`,
    'Use only letters, digits and / . _ : -',
  );
}

/**
 * Returns the major and minor number of a version such as `3.7`, `3.7.2` or `7.4p1`.
 * Throws HermeticError.
 */
function readVersion(sourceText: string): readonly [number, number] {
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})(?:\.\d{1,4}|p\d+)*$/.exec(sourceText) ?? [];
  if (major === undefined || minor === undefined)
    throw misuse('--version', `${sourceText} is not a version`, 'Write it as 3.7.');
  return [Number(major), Number(minor)];
}
