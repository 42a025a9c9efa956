import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../src/cli/testing-run.js';
import type { Endpoint } from '../../src/net/index.js';
import { Jail } from './jail.js';
import { DOMAIN, folderFor, started, type Site, type Software } from './matrix/server.js';
import { Postfix } from './postfix.js';
import { freePort, runProgram } from './process.js';

/** A kind of mail server for which `hermetic config` prints. */
export interface Configured {
  /** The program, or `PROGRAM-RELEASE`; the label of its domain. */
  readonly name: string;
  /** What the text is asked for with, beside name and files. */
  readonly flags: readonly string[];
  /** What a setting that narrows suites looks like: without it the server takes more than it should. */
  readonly narrows: RegExp;
  prepare(site: Site): Promise<Ready>;
}

/** One that is installed, with nothing said about TLS yet. */
export interface Ready {
  /** Runs it with the text in place, as it was printed. */
  start(text: string): Promise<Software>;
  /** The server's own look at the configuration. */
  look(text: string): Promise<{ readonly wrong: boolean; readonly says: string }>;
}

/** The release after the one the tests run on. */
const NEXT = 'trixie';

/** What is printed for a server of the site. */
export async function textFor({ name, flags }: Configured, site: Site): Promise<string> {
  const [program = ''] = name.split('-');
  const labels = program === 'opensmtpd' ? (['ecdsa'] as const) : (['ecdsa', 'rsa'] as const);
  const folder = name === 'postfix' ? site.folder : '/tls';
  const files = labels.flatMap((label) => ['--cert', `${folder}/${label}.crt`, '--key', `${folder}/${label}.key`]);
  const { code, out, err } = await runCli(['config', program, '--host', `${name}.${DOMAIN}`, ...files, ...flags]);
  if (code !== 0) throw new Error(err);
  return out;
}

/** Debian's Postfix, as installed. */
const postfix: Configured = {
  name: 'postfix',
  flags: ['--version', '3.7', '--policies', 'inet:127.0.0.1:8461'],
  narrows: /^tls_high_cipherlist = .*$/m,
  async prepare(site) {
    for (const label of ['rsa', 'ecdsa'] as const) {
      writeFileSync(join(site.folder, `${label}.key`), site[label].keyPem, { mode: 0o600 });
      writeFileSync(join(site.folder, `${label}.crt`), site[label].chainPem);
    }
    const at: Endpoint = { address: '127.0.0.41', port: await freePort() };
    const server = new Postfix(folderFor(site, 'postfix'), at.port);
    return {
      start: async (text) => {
        await server.start([{ address: at.address, asConfigured: true }], [text]);
        return { servers: [{ name: 'postfix', at }], log: () => server.log, stop: () => server.stop() };
      },
      look: async (text) => {
        const folder = folderFor(site, 'postfix-look');
        writeFileSync(join(folder, 'main.cf'), `compatibility_level = 3.6\n${text}\n`);
        writeFileSync(join(folder, 'master.cf'), '');
        const { code, err } = await runProgram('postconf', ['-c', folder, '-n'], { anyStatus: true });
        return { wrong: code !== 0 || /warning|fatal/.test(err), says: err };
      },
    };
  },
};

/** The next release's Postfix, whose `postfix start` would need a whole system: `master` alone does not. */
const newPostfix: Configured = {
  name: `postfix-${NEXT}`,
  flags: ['--version', '3.10', '--policies', 'inet:127.0.0.1:8461', '--sessions', '/run/hermetic/tlsrpt'],
  narrows: postfix.narrows,
  async prepare(site) {
    const program = '/usr/lib/postfix/sbin/master';
    const jail = new Jail(folderFor(site, this.name), 'postfix', program, ['postfix', 'postdrop', 'nobody'], NEXT);
    for (const queue of ['active', 'incoming', 'private', 'public', 'maildrop']) jail.folder(`var/spool/postfix/${queue}`, 1);
    for (const folder of ['var/spool/postfix/pid', 'var/lib/postfix']) jail.folder(folder, folder.endsWith('pid') ? 0 : 1);
    for (const label of ['rsa', 'ecdsa'] as const) writeKey(jail, site, label, 0o600);
    const at: Endpoint = { address: '127.0.0.44', port: await freePort() };
    const base = [
      'compatibility_level = 3.6',
      'default_database_type = lmdb',
      'maillog_file = /var/log/maillog',
      'myhostname = mail.interop.example',
    ];
    const quiet = ['mydestination =', 'inet_protocols = ipv4', 'alias_maps =', 'alias_database ='];
    const daemons = ['tlsmgr unix - - n 1000? 1 tlsmgr', 'anvil unix - - n - 1 anvil', 'proxymap unix - - n - - proxymap'];
    const write = (text: string): void => {
      jail.write('etc/postfix/main.cf', [...base, ...quiet, text, ''].join('\n'));
      const log = 'postlog unix-dgram n - n - 1 postlogd';
      jail.write('etc/postfix/master.cf', [`${at.address}:${at.port} inet n - n - - smtpd`, ...daemons, log, ''].join('\n'));
    };
    return {
      start: (text) => {
        write(text);
        return started([{ name: this.name, at }], [jail.run(['-c', '/etc/postfix', '-d'])]);
      },
      look: async (text) => {
        write(text);
        const { code, err } = await jail.ask(['-n'], '/usr/sbin/postconf');
        return { wrong: code !== 0 || /warning|fatal/.test(err), says: err };
      },
    };
  },
};

/** Exim with GnuTLS. What is printed has two parts, for two places. */
const exim = (name: string, version: string, release?: string): Configured => ({
  name,
  flags: ['--version', version],
  narrows: /^tls_require_ciphers = .*$/m,
  async prepare(site) {
    const jail = new Jail(folderFor(site, name), 'exim4-daemon-light', '/usr/sbin/exim4', ['Debian-exim'], release);
    for (const folder of ['var/spool/exim4', 'var/log/exim4']) jail.folder(folder, 1);
    for (const label of ['rsa', 'ecdsa'] as const) writeKey(jail, site, label, 0o644);
    const at: Endpoint = { address: '127.0.0.1', port: await freePort() };
    const file = '/etc/exim4/exim.conf';
    const base = [
      ...[`primary_hostname = ${name}.${DOMAIN}`, 'pid_file_path = /run/exim.pid', 'local_interfaces = 127.0.0.1', 'host_lookup ='],
      ...['rfc1413_query_timeout = 0s', 'smtp_accept_max = 0', 'keep_environment =', 'log_file_path = /var/log/exim4/%slog'],
    ];
    const write = (text: string): void => {
      const [receiving = '', sending = ''] = text.split(/^(?=# Sending:)/m);
      jail.write(file, [...base, receiving, 'begin transports', 'remote_smtp:', 'driver = smtp', sending].join('\n'));
    };
    return {
      start: (text) => {
        write(text);
        return started([{ name, at }], [jail.run(['-C', file, '-bdf', '-oX', `${at.address}.${at.port}`])]);
      },
      look: async (text) => {
        write(text);
        const { code, err, out } = await jail.ask(['-C', file, '-bV']);
        return { wrong: code !== 0, says: err + out };
      },
    };
  },
});

/** OpenSMTPD, at port 25 of an address of its own, since what is printed says the port. */
const openSmtpd = (name: string, version: string, narrows: RegExp, address: string, release?: string): Configured => ({
  name,
  flags: ['--version', version, '--listen', address],
  narrows,
  prepare(site) {
    const jail = new Jail(folderFor(site, name), 'opensmtpd', '/usr/sbin/smtpd', ['opensmtpd', 'opensmtpq'], release);
    writeKey(jail, site, 'ecdsa', 0o600);
    jail.write('etc/ssl/certs/ca-certificates.crt', site.root.certPem);
    const file = '/etc/smtpd.conf';
    const write = (text: string): void => jail.write(file, `${text}\naction "outbound" relay\nmatch from any for any reject\n`);
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

export const configuredServers: readonly Configured[] = [
  postfix,
  newPostfix,
  exim('exim', '4.96'),
  exim(`exim-${NEXT}`, '4.98', NEXT),
  openSmtpd('opensmtpd', '6.8', /^smtp ciphers .*$/m, '127.0.0.42'),
  openSmtpd(`opensmtpd-${NEXT}`, '7.6', / ciphers "[^"]*"/, '127.0.0.43', NEXT),
];
