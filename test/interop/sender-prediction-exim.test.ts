import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readExim } from '../../src/sender/index.js';
import { Jail } from './jail.js';
import { ownNetwork } from './own-network.js';
import {
  assertSame,
  counts,
  observe,
  predict,
  RECEIVERS_RESOLVER,
  type Promised,
} from './prediction.js';
import { freePort } from '../support/free-port.js';
import { greets, until, type Daemon } from './process.js';

ownNetwork([]);

/** A transport of Exim, and the verdicts that its specification promises. */
interface Configuration {
  readonly name: string;
  readonly options: readonly string[];
  readonly verdicts: Promised;
}

const [observes, enforces, unused] = ['observes-only', 'enforces', 'does-not-use'];
const configurations: readonly Configuration[] = [
  {
    name: 'plain',
    options: ['hosts_try_dane =', 'no_tls_tempfail_tryclear'],
    verdicts: [observes, unused, unused],
  },
  {
    name: 'verify',
    options: ['hosts_try_dane =', 'tls_verify_hosts = *', 'hosts_require_tls = *'],
    verdicts: [enforces, unused, unused],
  },
  {
    name: 'clear',
    options: ['hosts_try_dane =', 'tls_verify_hosts = *'],
    verdicts: ['enforces-wrongly', unused, unused],
  },
];

const folder = mkdtempSync(join(tmpdir(), 'hermetic-prediction-exim-'));
let jail: Jail;
let daemon: Daemon | undefined;
let port = 0;
/** The configuration as Exim prints it. */
let printed = '';

function configuration(): string {
  const routers = configurations.flatMap(({ name }) => [
    `r_${name}:`,
    'driver = dnslookup',
    `senders = ${name}@sender.example`,
    'self = send',
    `transport = t_${name}`,
  ]);
  const transports = configurations.flatMap(({ name, options }) => [
    `t_${name}:`,
    'driver = smtp',
    'allow_localhost',
    'connect_timeout = 3s',
    `tls_verify_certificates = /tls/${name}.pem`,
    ...options,
  ]);
  return [
    'primary_hostname = exim.interop.example',
    'pid_file_path = /run/exim.pid',
    'local_interfaces = 127.0.0.1',
    'host_lookup =',
    'rfc1413_query_timeout = 0s',
    'smtp_accept_max = 0',
    'keep_environment =',
    'disable_ipv6',
    'log_file_path = /var/log/exim4/%slog',
    'acl_smtp_rcpt = all',
    'begin acl',
    'all:',
    'accept',
    'begin routers',
    ...routers,
    'begin transports',
    ...transports,
    'begin retry',
    '* * F,1h,10m',
    '',
  ].join('\n');
}

before(async () => {
  jail = new Jail(join(folder, 'jail'), 'exim4-daemon-light', '/usr/sbin/exim4', ['Debian-exim']);
  for (const path of ['var/spool/exim4', 'var/log/exim4']) jail.folder(path, 1);
  jail.write('etc/resolv.conf', `nameserver ${RECEIVERS_RESOLVER}\noptions trust-ad\n`);
  jail.write('etc/exim4/exim4.conf', configuration());
  port = await freePort();
  daemon = jail.run(['-bdf', '-oX', `127.0.0.1.${port}`]);
  await until(
    'Exim',
    () => greets('127.0.0.1', port),
    () => daemon?.log ?? '',
  );
  for (const options of [['-d-all+tls', '-bV'], ['-bP'], ['-bP', 'routers'], ['-bP', 'transports']])
    printed += (await jail.ask(options)).out;
});

after(async () => {
  await daemon?.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const { name, verdicts } of configurations)
  test(`Exim, ${name}: the prediction equals the observation`, async () => {
    const model = readExim({
      text: printed,
      transport: `t_${name}`,
      domain: 'case.me.sender.example',
      resolver: 'validates',
    });
    // With the retry hints of earlier deliveries, Exim would not try a host.
    rmSync(join(jail.root, 'var/spool/exim4/db'), { recursive: true, force: true });
    const observed = await observe({
      name,
      port,
      onOpen: ({ rootPem }) => jail.write(`tls/${name}.pem`, rootPem),
    });
    assertSame(predict(model), observed, verdicts);
  });

test('the configuration and the library decide every cell', () => {
  assert.ok(counts.cells > 40 * configurations.length);
  assert.equal(counts.open, 0);
});
