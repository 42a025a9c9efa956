import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Jail } from '../jail.js';
import { Postfix } from '../postfix.js';
import { freePort } from '../../support/free-port.js';
import { DOMAIN, folderFor, started, type Server, type Site, type Software } from './server.js';

const HIGH =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384';

/**
 * Starts Debian's Postfix with its defaults, hardened, and limited to one TLS version.
 */
export async function postfix(site: Site): Promise<Software> {
  const folder = folderFor(site, 'mta-postfix');
  const port = await freePort();
  const both = join(folder, 'both.pem');
  writeFileSync(both, readFileSync(site.rsa.file, 'utf8') + readFileSync(site.ecdsa.file, 'utf8'));
  const services = [
    // The defaults of Postfix.
    { name: 'postfix-default', chainFile: both, options: ['smtpd_tls_protocols=>=TLSv1'] },
    {
      name: 'postfix-hardened',
      chainFile: both,
      options: [
        'smtpd_tls_protocols=>=TLSv1.2',
        'smtpd_tls_ciphers=high',
        `tls_high_cipherlist=${HIGH}:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305`,
        'smtpd_tls_exclude_ciphers=aNULL',
        'tls_preempt_cipherlist=yes',
      ],
    },
    {
      name: 'postfix-tls12-rsa',
      chainFile: site.rsa.file,
      options: [
        'smtpd_tls_protocols=TLSv1.2',
        `tls_medium_cipherlist=${HIGH}:DHE-RSA-AES256-SHA:AES128-SHA`,
      ],
    },
    { name: 'postfix-tls13', chainFile: both, options: ['smtpd_tls_protocols=>=TLSv1.3'] },
  ].map((service, i) => ({ ...service, address: `127.0.0.${31 + i}` }));
  const server = new Postfix(folder, port);
  await server.start(services);
  return {
    servers: services.map(({ name, address }) => ({ name, at: { address, port } })),
    log: () => server.log,
    stop: () => server.stop(),
  };
}

/**
 * Starts Exim with GnuTLS, as Debian builds it: with its defaults, and with TLS 1.2 in
 * the server's order.
 */
export async function exim(site: Site): Promise<Software> {
  const jail = new Jail(folderFor(site, 'mta-exim'), 'exim4-daemon-light', '/usr/sbin/exim4', [
    'Debian-exim',
  ]);
  for (const folder of ['var/spool/exim4', 'var/log/exim4']) jail.folder(folder, 1);
  for (const [name, { keyPem, chainPem }] of [
    ['rsa', site.rsa],
    ['ecdsa', site.ecdsa],
  ] as const) {
    jail.write(`tls/${name}.key`, keyPem);
    jail.write(`tls/${name}.crt`, chainPem);
  }
  const files = (keys: readonly string[], suffix: string): string =>
    keys.map((key) => `/tls/${key}.${suffix}`).join(' : ');
  const configure = (name: string, keys: readonly string[], more: readonly string[]): void =>
    jail.write(
      `etc/exim4/${name}.conf`,
      [
        `primary_hostname = ${name}.${DOMAIN}`,
        `pid_file_path = /run/${name}.pid`,
        'local_interfaces = 127.0.0.1',
        'host_lookup =',
        'rfc1413_query_timeout = 0s',
        // The default limit is twenty processes. A process outlives a broken handshake
        // briefly, and these clients do not pause between connections.
        'smtp_accept_max = 0',
        'keep_environment =',
        'log_file_path = /var/log/exim4/%slog',
        'tls_advertise_hosts = *',
        `tls_certificate = ${files(keys, 'crt')}`,
        `tls_privatekey = ${files(keys, 'key')}`,
        ...more,
      ].join('\n') + '\n',
    );
  configure('exim-default', ['rsa', 'ecdsa'], []);
  configure(
    'exim-tls12',
    ['rsa'],
    ['tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.2:%SERVER_PRECEDENCE'],
  );
  const servers: Server[] = [];
  for (const name of ['exim-default', 'exim-tls12'])
    servers.push({ name, at: { address: '127.0.0.1', port: await freePort() } });
  return started(
    servers,
    servers.map(({ name, at }) =>
      jail.run(['-C', `/etc/exim4/${name}.conf`, '-bdf', '-oX', `${at.address}.${at.port}`]),
    ),
  );
}

/**
 * Starts OpenSMTPD with its defaults, once with an RSA key and once with an ECDSA key.
 * Debian 12 builds 6.8.0p2 against OpenSSL 3, with which it cannot sign (OpenSMTPD issue
 * 1171): it answers a hello and then fails every handshake. The matrix therefore includes
 * a server that offers STARTTLS but completes no handshake.
 */
export async function openSmtpd(site: Site): Promise<Software> {
  const jail = new Jail(folderFor(site, 'mta-opensmtpd'), 'opensmtpd', '/usr/sbin/smtpd', [
    'opensmtpd',
    'opensmtpq',
  ]);
  const servers: Server[] = [];
  const lines: string[] = [];
  for (const [key, { keyPem, chainPem }] of [
    ['rsa', site.rsa],
    ['ecdsa', site.ecdsa],
  ] as const) {
    const name = `opensmtpd-${key}`;
    const port = await freePort();
    jail.write(`tls/${key}.crt`, chainPem);
    jail.write(`tls/${key}.key`, keyPem, 0o600);
    lines.push(`pki ${key} cert "/tls/${key}.crt"`, `pki ${key} key "/tls/${key}.key"`);
    lines.push(`listen on 127.0.0.1 port ${port} tls pki ${key} hostname ${name}.${DOMAIN}`);
    servers.push({ name, at: { address: '127.0.0.1', port } });
  }
  jail.write(
    'etc/smtpd.conf',
    `${lines.join('\n')}\naction nowhere mda "/bin/false"\nmatch from any for any reject\n`,
  );
  return started(servers, [jail.run(['-d', '-f', '/etc/smtpd.conf'])]);
}
