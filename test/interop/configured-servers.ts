import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../support/run-cli.js';
import type { Endpoint } from '../../src/net/index.js';
import { NEXT_RELEASE } from './debian.js';
import { Jail } from './jail.js';
import { DOMAIN, folderFor, started, type Site, type Software } from './matrix/server.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';

/** A kind of mail server for which `hermetic config` prints a configuration. */
export interface Configured {
  /** The program, or `PROGRAM-RELEASE`; also the label of the server's domain. */
  readonly name: string;
  /** Options for every printed text, in addition to name and files. */
  readonly flags?: readonly string[];
  /** Options for the version of the server: the version itself, and others. */
  readonly own: readonly string[];
  /** The setting that restricts suites; without this setting the server accepts more. */
  readonly narrows: RegExp;
  prepare(site: Site): Promise<Ready>;
}

/** An installed server without TLS settings. */
export interface Ready {
  /** Starts the server with the printed text inserted into its configuration. */
  start(text: string): Promise<Software>;
  /** Returns the server's own test of the configuration. */
  look(text: string): Promise<{ readonly wrong: boolean; readonly says: string }>;
}

/**
 * Returns the printed text for a server, either for the oldest supported version or for
 * the installed one.
 */
export async function textFor(
  { name, flags = [] }: Configured,
  site: Site,
  own: readonly string[] = [],
): Promise<string> {
  const [program = ''] = name.split('-');
  const labels = program === 'opensmtpd' ? (['ecdsa'] as const) : (['ecdsa', 'rsa'] as const);
  const folder = program === 'postfix' ? folderFor(site, name) : '/tls';
  const files = labels.flatMap((label) => [
    '--cert',
    `${folder}/${label}.crt`,
    '--key',
    `${folder}/${label}.key`,
  ]);
  const { code, out, err } = await runCli([
    'config',
    program,
    '--host',
    `${name}.${DOMAIN}`,
    ...files,
    ...flags,
    ...own,
  ]);
  if (code !== 0) throw new Error(err);
  return out;
}

/** Returns Postfix of the installed release, or of another release. */
const postfix = (
  name: string,
  own: readonly string[],
  address: string,
  release?: string,
): Configured => ({
  name,
  own,
  flags: ['--policies', 'inet:127.0.0.1:8461'],
  narrows: /^tls_high_cipherlist = .*$/m,
  async prepare(site) {
    const folder = folderFor(site, name);
    for (const label of ['rsa', 'ecdsa'] as const) {
      writeFileSync(join(folder, `${label}.key`), site[label].keyPem, { mode: 0o600 });
      writeFileSync(join(folder, `${label}.crt`), site[label].chainPem);
    }
    const at: Endpoint = { address, port: await freePort() };
    const server = new Postfix(folder, at.port, release === undefined ? {} : { release });
    return {
      start: async (text) => {
        await server.start([{ address, asConfigured: true }], [text]);
        return { servers: [{ name, at }], log: () => server.log, stop: () => server.stop() };
      },
      look: async (text) => {
        const other = folderFor(site, `${name}/look`);
        writeFileSync(join(other, 'main.cf'), `compatibility_level = 3.6\n${text}\n`);
        writeFileSync(join(other, 'master.cf'), '');
        const { code, err } = await server.tool('postconf', ['-c', other, '-n']);
        return { wrong: code !== 0 || /warning|fatal/.test(err), says: err };
      },
    };
  },
});

/**
 * Returns Exim with GnuTLS. The printed text has two parts, for two places of the
 * configuration.
 */
const exim = (name: string, version: string, release?: string): Configured => ({
  name,
  own: ['--version', version],
  narrows: /^tls_require_ciphers = .*$/m,
  async prepare(site) {
    const jail = new Jail(
      folderFor(site, name),
      'exim4-daemon-light',
      '/usr/sbin/exim4',
      ['Debian-exim'],
      release,
    );
    for (const folder of ['var/spool/exim4', 'var/log/exim4']) jail.folder(folder, 1);
    for (const label of ['rsa', 'ecdsa'] as const) writeKey(jail, site, label, 0o644);
    const at: Endpoint = { address: '127.0.0.1', port: await freePort() };
    const file = '/etc/exim4/exim.conf';
    const base = [
      ...[
        `primary_hostname = ${name}.${DOMAIN}`,
        'pid_file_path = /run/exim.pid',
        'local_interfaces = 127.0.0.1',
        'host_lookup =',
      ],
      ...[
        'rfc1413_query_timeout = 0s',
        'smtp_accept_max = 0',
        'keep_environment =',
        'log_file_path = /var/log/exim4/%slog',
      ],
    ];
    const write = (text: string): void => {
      const [receiving = '', sending = ''] = text.split(/^(?=# Sending:)/m);
      jail.write(
        file,
        [...base, receiving, 'begin transports', 'remote_smtp:', 'driver = smtp', sending].join(
          '\n',
        ),
      );
    };
    return {
      start: (text) => {
        write(text);
        return started(
          [{ name, at }],
          [jail.run(['-C', file, '-bdf', '-oX', `${at.address}.${at.port}`])],
        );
      },
      look: async (text) => {
        write(text);
        const { code, err, out } = await jail.ask(['-C', file, '-bV']);
        return { wrong: code !== 0, says: err + out };
      },
    };
  },
});

/**
 * Returns OpenSMTPD at port 25 of a separate address, because the printed text contains
 * the port.
 */
const openSmtpd = (
  name: string,
  version: string,
  narrows: RegExp,
  address: string,
  release?: string,
): Configured => ({
  name,
  own: ['--version', version],
  flags: ['--listen', address],
  narrows,
  prepare(site) {
    const jail = new Jail(
      folderFor(site, name),
      'opensmtpd',
      '/usr/sbin/smtpd',
      ['opensmtpd', 'opensmtpq'],
      release,
    );
    writeKey(jail, site, 'ecdsa', 0o600);
    jail.write('etc/ssl/certs/ca-certificates.crt', site.root.certPem);
    const file = '/etc/smtpd.conf';
    const write = (text: string): void =>
      jail.write(file, `${text}\naction "outbound" relay\nmatch from any for any reject\n`);
    return Promise.resolve({
      start: (text) => {
        write(text);
        return started([{ name, at: { address, port: 25 } }], [jail.run(['-d', '-f', file])]);
      },
      look: async (text) => {
        write(text);
        const { code, err, out } = await jail.ask(['-n', '-f', file]);
        return { wrong: code !== 0, says: err + out };
      },
    });
  },
});

function writeKey(jail: Jail, site: Site, label: 'rsa' | 'ecdsa', mode: number): void {
  jail.write(`tls/${label}.crt`, site[label].chainPem);
  jail.write(`tls/${label}.key`, site[label].keyPem, mode);
}

const next = NEXT_RELEASE;

export const configuredServers: readonly Configured[] = [
  postfix('postfix', ['--version', '3.7'], '127.0.0.41'),
  postfix(
    `postfix-${next}`,
    ['--version', '3.10', '--sessions', '/run/hermetic/tlsrpt'],
    '127.0.0.44',
    next,
  ),
  exim('exim', '4.96'),
  exim(`exim-${next}`, '4.98', next),
  openSmtpd('opensmtpd', '6.8', /^smtp ciphers .*$/m, '127.0.0.42'),
  openSmtpd(`opensmtpd-${next}`, '7.6', / ciphers "[^"]*"/, '127.0.0.43', next),
];
