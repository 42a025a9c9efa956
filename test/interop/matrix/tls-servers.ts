import { writeFileSync } from 'node:fs';
import type { Server as Listener } from 'node:net';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import type { Endpoint } from '../../../src/net/index.js';
import { freePort } from '../../support/free-port.js';
import { accepts, Daemon, until } from '../process.js';
import { DOMAIN, folderFor, started, type Server, type Site, type Software } from './server.js';
import { listen, smtpInside, starttlsFront } from './starttls-front.js';

const SMALL =
  'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256';
const INTERMEDIATE =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384';

/**
 * Starts `openssl s_server`: with few suites in the server's order, and with all old
 * protocols of OpenSSL 3 in the client's order.
 */
export function openssl({ folder, rsa, ecdsa }: Site): Promise<Software> {
  const serve = (name: string, args: readonly string[]) => ({
    name,
    run: ({ address, port }: Endpoint) =>
      new Daemon(
        'openssl',
        ['s_server', '-quiet', '-accept', `${address}:${port}`, ...args],
        folder,
        replyTo,
      ),
  });
  const small = [
    '-cert',
    ecdsa.file,
    '-key',
    ecdsa.file,
    '-cert_chain',
    ecdsa.file,
    '-cipher',
    SMALL,
    '-ciphersuites',
  ];
  return behindFronts([
    serve('openssl-small', [
      ...small,
      'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
      '-groups',
      'P-256:X25519',
      '-serverpref',
    ]),
    serve('openssl-old', [
      '-cert',
      rsa.file,
      '-key',
      rsa.file,
      '-cert_chain',
      rsa.file,
      '-cipher',
      'DEFAULT:@SECLEVEL=0',
      '-no_tls1_3',
    ]),
  ]);
}

/**
 * Starts GnuTLS's own server: with all its versions, and with TLS 1.3 only. The server
 * answers a line inside TLS with the same line.
 */
export function gnutls({ folder, rsa, ecdsa }: Site): Promise<Software> {
  const keys = (...files: readonly string[]): string[] =>
    files.flatMap((file) => ['--x509keyfile', file, '--x509certfile', file]);
  const serve = (name: string, args: readonly string[]) => ({
    name,
    run: ({ port }: Endpoint) =>
      new Daemon('gnutls-serv', ['--quiet', '--echo', '--port', String(port), ...args], folder),
  });
  return behindFronts([
    serve('gnutls-wide', [
      ...keys(rsa.file, ecdsa.file),
      '--priority',
      'NORMAL:+VERS-TLS1.1:+VERS-TLS1.0',
    ]),
    serve('gnutls-tls13', [...keys(ecdsa.file), '--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.3']),
  ]);
}

/**
 * Starts HAProxy with the suites of Mozilla's intermediate configuration, and stunnel
 * with its defaults.
 */
export async function proxies(site: Site): Promise<Software> {
  const { rsa, ecdsa } = site;
  const folder = folderFor(site, 'proxies');
  const inside = await listen(smtpInside);
  const target = `${inside.at.address}:${inside.at.port}`;
  for (const [suffix, { keyPem, chainPem }] of [
    ['rsa', rsa],
    ['ecdsa', ecdsa],
  ] as const)
    writeFileSync(join(folder, `haproxy.pem.${suffix}`), keyPem + chainPem);
  return behindFronts(
    [
      {
        name: 'haproxy-intermediate',
        run: ({ address, port }) => {
          const bind = `bind ${address}:${port} ssl crt ${join(folder, 'haproxy.pem')} ssl-min-ver TLSv1.2 ciphers ${INTERMEDIATE} no-tls-tickets`;
          const lines = [
            'global',
            'tune.ssl.default-dh-param 2048',
            'defaults',
            'mode tcp',
            'timeout connect 5s',
            'timeout client 30s',
            'timeout server 30s',
          ];
          lines.push('listen matrix', bind, `server inside ${target}`);
          writeFileSync(join(folder, 'haproxy.cfg'), `${lines.join('\n')}\n`);
          return new Daemon('haproxy', ['-db', '-q', '-f', join(folder, 'haproxy.cfg')], folder);
        },
      },
      {
        name: 'stunnel-default',
        run: ({ address, port }) => {
          const lines = [
            'foreground = yes',
            'pid =',
            'debug = 3',
            '[matrix]',
            `accept = ${address}:${port}`,
            `connect = ${target}`,
            `cert = ${rsa.file}`,
          ];
          writeFileSync(join(folder, 'stunnel.conf'), `${lines.join('\n')}\n`);
          return new Daemon('stunnel4', [join(folder, 'stunnel.conf')], folder);
        },
      },
    ],
    [inside.listener],
  );
}

/** Starts Node's own TLS server with its defaults. */
export async function node({ rsa, ecdsa }: Site): Promise<Software> {
  const servers: Server[] = [];
  const listeners: Listener[] = [];
  const serve = async (name: string, options: TlsOptions): Promise<void> => {
    const tls = createServer(options, smtpInside).on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    const { port } = tls.address() as { port: number };
    const front = await listen(starttlsFront(`${name}.${DOMAIN}`, { address: '127.0.0.1', port }));
    servers.push({ name, at: front.at });
    listeners.push(tls, front.listener);
  };
  await serve('node-default', {
    key: [rsa.keyPem, ecdsa.keyPem],
    cert: [rsa.chainPem, ecdsa.chainPem],
  });
  return started(servers, [], listeners);
}

/** A TLS server without SMTP, behind a front that speaks SMTP. */
interface Backend {
  readonly name: string;
  run(at: Endpoint): Daemon;
}

async function behindFronts(
  backends: readonly Backend[],
  others: readonly Listener[] = [],
): Promise<Software> {
  const servers: Server[] = [];
  const daemons: Daemon[] = [];
  const listeners = [...others];
  for (const { name, run } of backends) {
    const at = { address: '127.0.0.1', port: await freePort() };
    const daemon = run(at);
    daemons.push(daemon);
    await until(
      name,
      () => accepts(at.address, at.port),
      () => daemon.log,
    );
    const front = await listen(starttlsFront(`${name}.${DOMAIN}`, at));
    listeners.push(front.listener);
    servers.push({ name, at: front.at });
  }
  return started(servers, daemons, listeners);
}

/** Returns a mail server's reply to the client lines that `s_server` printed. */
function replyTo(printed: string): string {
  return printed
    .split('\n')
    .filter((line) => /^(EHLO|QUIT|NOOP)/.test(line))
    .map((line) => (line.startsWith('QUIT') ? '221 2.0.0 Bye\r\n' : '250 2.0.0 Ok\r\n'))
    .join('');
}
