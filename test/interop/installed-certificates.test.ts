import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createCa, issue } from '../../src/pki/index.js';
import { installPair } from '../../src/publish/certificates/install-pair.js';
import { Jail } from './jail.js';
import type { Daemon } from './process.js';
import { freePort } from '../support/free-port.js';
import { greets, runProgram, until } from './process.js';

const host = 'mx.interop.example';
const ca = createCa({ name: 'Interop Root' });

/**
 * Returns the fingerprint of the certificate that a server presents after STARTTLS; empty
 * if the handshake fails.
 */
async function shown(address: string, port: number): Promise<string> {
  const client = `openssl s_client -starttls smtp -connect ${address}:${port} -servername ${host} </dev/null 2>/dev/null`;
  const { out } = await runProgram(
    'sh',
    ['-c', `${client} | openssl x509 -noout -fingerprint -sha256`],
    {
      anyStatus: true,
      timeoutMs: 20_000,
    },
  );
  return out.split('=')[1]?.trim() ?? '';
}

/**
 * Installs several pairs, each with a new key, below the root of a jail, and prints the
 * expected certificate.
 */
function installer(jail: Jail, group: number) {
  const folder = join(jail.root, 'mail-tls');
  mkdirSync(folder);
  chownSync(folder, 0, group);
  chmodSync(folder, group === 0 ? 0o755 : 0o750);
  return (): string => {
    const { keyPem: key, chainPem: chain } = issue(ca, { names: [host] });
    installPair(folder, 'ecdsa', { key, chain });
    return new X509Certificate(chain).fingerprint256;
  };
}

function jailFor(
  t: TestContext,
  ...[name, program, users, release]: [string, string, readonly string[], string?]
): Jail {
  const root = mkdtempSync(join(tmpdir(), 'hermetic-installed-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  return new Jail(join(root, 'jail'), name, program, users, release);
}

test('Exim reads both.pem as its own user, and another pair after a reload', async (t) => {
  const jail = jailFor(t, 'exim4-daemon-light', '/usr/sbin/exim4', ['Debian-exim']);
  for (const folder of ['var/spool/exim4', 'var/log/exim4']) jail.folder(folder, 1);
  const install = installer(jail, 901);
  const port = await freePort();
  jail.write(
    'etc/exim4/exim.conf',
    [
      ...[
        `primary_hostname = ${host}`,
        'pid_file_path = /run/exim.pid',
        'local_interfaces = 127.0.0.1',
        'host_lookup =',
      ],
      ...[
        'rfc1413_query_timeout = 0s',
        'keep_environment =',
        'log_file_path = /var/log/exim4/%slog',
      ],
      ...['tls_advertise_hosts = *', 'tls_certificate = /mail-tls/ecdsa/both.pem', ''],
    ].join('\n'),
  );
  const first = install();
  const daemon = jail.run(['-C', '/etc/exim4/exim.conf', '-bdf', '-oX', `127.0.0.1.${port}`]);
  t.after(() => daemon.stop());
  const log = (): string => daemon.log;
  await until('Exim', () => greets('127.0.0.1', port), log);
  assert.equal(await shown('127.0.0.1', port), first, log());
  for (let n = 0; n < 3; n++) {
    const next = install();
    process.kill(daemon.pid, 'SIGHUP');
    await until(
      'the new certificate',
      async () => (await shown('127.0.0.1', port)) === next,
      log,
      10_000,
    );
  }
});

test('OpenSMTPD reads chain.pem and key.pem, and another pair at a restart', async (t) => {
  const jail = jailFor(t, 'opensmtpd', '/usr/sbin/smtpd', ['opensmtpd', 'opensmtpq'], 'trixie');
  const install = installer(jail, 0);
  jail.write('etc/ssl/certs/ca-certificates.crt', ca.certPem);
  const address = '127.0.0.45';
  jail.write(
    'etc/smtpd.conf',
    [
      ...[
        `pki ${host} cert "/mail-tls/ecdsa/chain.pem"`,
        `pki ${host} key "/mail-tls/ecdsa/key.pem"`,
      ],
      ...[
        `listen on ${address} tls pki ${host}`,
        'action "outbound" relay',
        'match from any for any reject',
        '',
      ],
    ].join('\n'),
  );
  for (let n = 0; n < 2; n++) {
    const wanted = install();
    const daemon: Daemon = jail.run(['-d', '-f', '/etc/smtpd.conf']);
    try {
      await until(
        'OpenSMTPD',
        () => greets(address, 25),
        () => daemon.log,
      );
      assert.equal(await shown(address, 25), wanted, daemon.log);
    } finally {
      await daemon.stop();
    }
  }
});
