import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Receivers } from '../../src/cli/sender/open-receivers.js';
import { runSenderTest } from '../../src/cli/sender/run-test.js';
import { submitOverSmtp, type Submit } from '../../src/cli/sender/submit.js';
import { nodeNetwork } from '../../src/net/index.js';
import type { SenderTestResult } from '../../src/sender/index.js';
import { unpackPackage } from './debian.js';
import { Jail } from './jail.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';
import { accepts, Daemon, greets, runProgram, until } from './process.js';

/** A sending mail server with one configuration. */
export interface SenderServer {
  readonly name: string;
  /** The envelope sender that selects the configuration. */
  readonly from: string;
  readonly at: { readonly address: string; readonly port: number };
  /** Prepares the server for the root and resolver of a test. */
  follow(receivers: Receivers): Promise<void>;
}

/** Limits in milliseconds: for a whole test, and after the last event of a case. */
const DURATION_MS = 30_000;
const PATIENCE_MS = 1200;

/** Runs every case against a server. */
export function testServer(server: SenderServer): Promise<SenderTestResult> {
  let ready: Promise<void> = Promise.resolve();
  const overSmtp = submitOverSmtp(server.at, nodeNetwork());
  return runSenderTest({
    exposed: true,
    submit: () => async (message) => {
      await ready;
      return overSmtp(message);
    },
    from: server.from,
    durationMs: DURATION_MS,
    patienceMs: PATIENCE_MS,
    withdrawAfterMs: 300,
    // OpenSMTPD accepts few sessions of one client.
    concurrency: server.name.startsWith('opensmtpd') ? 3 : 16,
    signal: new AbortController().signal,
    onOpen: (receivers) => {
      ready = server.follow(receivers);
    },
  });
}

/** The programs of a group of servers, and the function that ends them. */
export class ServerFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'hermetic-sender-'));
  readonly #running: { stop(): Promise<void> }[] = [];

  file(name: string, text: string): string {
    writeFileSync(join(this.path, name), text);
    return join(this.path, name);
  }

  /** Writes a file that does not exist yet. */
  once(name: string, text: string): string {
    const path = join(this.path, name);
    return existsSync(path) ? path : this.file(name, text);
  }

  add<T extends { stop(): Promise<void> }>(program: T): T {
    this.#running.push(program);
    return program;
  }

  async stop(): Promise<void> {
    for (const program of [...this.#running].reverse()) await program.stop();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The resolver of every test on this machine. */
const RESOLVER = '127.51.100.253';

/** TLS settings of one smtp client of Postfix. */
export type PostfixClient = readonly [name: string, ...options: string[]];

/**
 * Returns one Postfix with several clients. The envelope sender selects the client. A
 * client whose name contains `socketmap` asks the daemon of this program, and
 * `sts-resolver` asks postfix-mta-sts-resolver. SOCKETMAP and STSRESOLVER in an option
 * stand for the tables.
 */
export async function postfixSenders(
  folder: ServerFolder,
  clients: readonly PostfixClient[],
): Promise<readonly SenderServer[]> {
  const ports = { smtp: await freePort(), map: await freePort(), resolver: await freePort() };
  const caFile = folder.file('roots.pem', '');
  const resolvConf = folder.once('resolv.conf', `nameserver ${RESOLVER}\n`);
  const postfix = folder.add(new Postfix(folder.path, ports.smtp, { resolvConf }));
  const mapAt = (port: number): string => `socketmap:inet:127.0.0.1:${port}:hermetic`;
  const withMaps = (option: string): string =>
    option.replace('SOCKETMAP', mapAt(ports.map)).replace('STSRESOLVER', mapAt(ports.resolver));
  const stsResolver = join(folder.path, 'sts-resolver');
  if (clients.some(([name]) => name === 'sts-resolver')) {
    mkdirSync(stsResolver);
    unpackPackage('postfix-mta-sts-resolver', stsResolver);
  }
  const choice = clients.map(([name]) => `{ ${name}@sender.example = smtp-${name}: }`).join(', ');
  await postfix.start(
    [{ address: '127.0.0.1' }],
    [
      'mynetworks = 127.0.0.0/8',
      'smtp_dns_support_level = dnssec',
      'smtp_host_lookup = dns',
      `smtp_tls_CAfile = ${caFile}`,
      'smtp_tls_loglevel = 1',
      `sender_dependent_default_transport_maps = inline:{${choice}}`,
      'notify_classes =',
    ],
    clients.map(([name, ...options]) =>
      [
        `smtp-${name} unix - - n - - smtp -o syslog_name=${name}`,
        ...options.map((option) => `-o ${withMaps(option)}`),
      ].join(' '),
    ),
  );
  return clients.map(([name]) => ({
    name,
    from: `${name}@sender.example`,
    at: { address: '127.0.0.1', port: ports.smtp },
    async follow(receivers) {
      writeFileSync(caFile, receivers.rootPem);
      if (name.includes('socketmap')) await startDaemon(folder, receivers, ports.map);
      if (name === 'sts-resolver')
        await startStsResolver(folder, { caFile, port: ports.resolver, root: stsResolver });
    },
  }));
}

/** Starts `hermetic serve` as the policy service of Postfix. */
async function startDaemon(
  folder: ServerFolder,
  receivers: Receivers,
  port: number,
): Promise<void> {
  const anchor = folder.file('anchor', receivers.anchorLine);
  const roots = folder.file('daemon-roots.pem', receivers.rootPem);
  const config = folder.file(
    'hermetic.yaml',
    `resolver: {addresses: ["${RESOLVER}"], trustAnchor: ${anchor}}
roots: {replace: ${roots}}
network: {privateAddresses: allow}
store: {file: ${join(folder.path, 'hermetic.db')}}
postfix: {listen: 127.0.0.1:${port}, version: "3.7", resolver: {file: ${join(folder.path, 'resolv.conf')}}}
`,
  );
  const program = [resolve('dist/src/cli/main.js'), 'serve', '--config', config];
  const daemon = folder.add(new Daemon(process.execPath, program, folder.path));
  await until(
    'hermetic serve',
    () => accepts('127.0.0.1', port),
    () => daemon.log,
  );
}

/**
 * Python code that calls the main function directly, because the program itself needs the
 * metadata of an installed package.
 */
const START_RESOLVER = 'from postfix_mta_sts_resolver.daemon import main; main()';

/**
 * Starts Debian's postfix-mta-sts-resolver, unpacked. The program uses the resolver of
 * the test, and trusts the CA of the test.
 */
async function startStsResolver(
  folder: ServerFolder,
  { caFile, port, root }: { caFile: string; port: number; root: string },
): Promise<void> {
  const config = folder.file(
    'mta-sts-daemon.yml',
    `host: 127.0.0.1
port: ${port}
shutdown_timeout: 1
cache: {type: internal, options: {cache_size: 1000}}
default_zone: {strict_testing: false, timeout: 4}
`,
  );
  const environment = [
    `PYTHONPATH=${root}/usr/lib/python3/dist-packages`,
    `LD_LIBRARY_PATH=${compiledFolder(root)}`,
    `SSL_CERT_FILE=${caFile}`,
  ];
  const program = ['/usr/bin/python3', '-c', START_RESOLVER, '-c', config];
  const daemon = folder.add(
    new Daemon('unshare', withResolver(folder, ['env', ...environment, ...program]), folder.path),
  );
  await until(
    'postfix-mta-sts-resolver',
    () => accepts('127.0.0.1', port),
    () => daemon.log,
  );
}

/**
 * Returns the folder of compiled files in an unpacked package, named after the
 * architecture.
 */
function compiledFolder(root: string): string {
  const folder = readdirSync(join(root, 'usr/lib')).find((name) => name.endsWith('-linux-gnu'));
  return join(root, 'usr/lib', folder ?? '');
}

/**
 * Returns the arguments of unshare for a program that reads the resolver of the test.
 * Writes the file only once, because a program that starts during a second write would
 * read an empty file.
 */
function withResolver(folder: ServerFolder, program: readonly string[]): readonly string[] {
  const resolvConf = folder.once('resolv.conf', `nameserver ${RESOLVER}\n`);
  const steps = `mount --bind ${resolvConf} /etc/resolv.conf && exec "$@"`;
  return ['-m', 'sh', '-c', steps, 'sh', ...program];
}

/**
 * Returns a function that sends a message with swaks of the installed release. For TLS
 * and MX lookups, swaks needs two more packages. swaks connects directly to the hosts of
 * the case, without a queue.
 */
export function swaksSubmit(folder: ServerFolder): Submit {
  const root = join(folder.path, 'swaks');
  mkdirSync(root);
  for (const name of ['libnet-ssleay-perl', 'libnet-dns-perl']) unpackPackage(name, root);
  const compiled = join(compiledFolder(root), 'perl5');
  const libraries = [
    ...readdirSync(compiled).map((version) => join(compiled, version)),
    join(root, 'usr/share/perl5'),
  ];
  return async ({ from, to, message }) => {
    const data = folder.file(`${to}.eml`, Buffer.from(message).toString().replaceAll('\r\n', '\n'));
    const swaks = ['swaks', '--tls-optional-strict', '--timeout', '10', '--helo', 'swaks.example'];
    const command = [...swaks, '--from', from, '--to', to, '--data', `@${data}`];
    const program = ['env', `PERL5LIB=${libraries.join(':')}`, ...command];
    await runProgram('unshare', withResolver(folder, program), { anyStatus: true });
    return { ok: true };
  };
}

/** The configuration of one Exim. */
export interface EximConfig {
  readonly name: string;
  readonly router?: readonly string[];
  readonly transport?: readonly string[];
}

/** Returns one Exim of the installed release for each configuration. */
export async function eximSenders(
  folder: ServerFolder,
  configs: readonly EximConfig[],
): Promise<readonly SenderServer[]> {
  const jail = new Jail(join(folder.path, 'exim'), 'exim4-daemon-light', '/usr/sbin/exim4', [
    'Debian-exim',
  ]);
  const servers: SenderServer[] = [];
  for (const config of configs) servers.push(await eximSender(folder, jail, config));
  return servers;
}

async function eximSender(
  folder: ServerFolder,
  jail: Jail,
  { name, router = [], transport = [] }: EximConfig,
): Promise<SenderServer> {
  const port = await freePort();
  const spool = `var/spool/exim4-${name}`;
  for (const path of [spool, `var/log/${name}`]) jail.folder(path, 1);
  const file = `/etc/${name}.conf`;
  jail.write(
    file,
    `primary_hostname = ${name}.sender.example
spool_directory = /${spool}
pid_file_path = /run/${name}.pid
local_interfaces = 127.0.0.1
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 0
keep_environment =
log_file_path = /var/log/${name}/%slog
dns_dnssec_ok = 1
acl_smtp_rcpt = accept
begin acl
begin routers
out:
  driver = dnslookup
  domains = *
  transport = remote_smtp
  ${router.join('\n  ')}
begin transports
remote_smtp:
  driver = smtp
  tls_verify_certificates = /roots.pem
  ${transport.join('\n  ')}
begin retry
* * F,1h,5m
`,
  );
  const exim = folder.add(jail.run(['-C', file, '-bdf', '-oX', `127.0.0.1.${port}`]));
  const log = (): string => exim.log;
  await until(name, () => greets('127.0.0.1', port), log);
  return {
    name,
    from: 'test@sender.example',
    at: { address: '127.0.0.1', port },
    follow: (receivers) => {
      jail.write('roots.pem', receivers.rootPem);
      // Without the option, glibc removes the AD bit (resolv.conf(5)), and Exim cannot
      // use DANE.
      const trusted = name.includes('untrusted') ? '' : 'options trust-ad\n';
      jail.write('etc/resolv.conf', `nameserver ${RESOLVER}\n${trusted}`);
      return Promise.resolve();
    },
  };
}

/** Options of `relay` in smtpd.conf, by the name of a configuration. */
export type SmtpdRelays = Readonly<Record<string, string>>;

/**
 * Returns OpenSMTPD of the installed release. Each configuration starts at the time of
 * its test, with an empty queue: retries of an earlier configuration would use up the
 * connections.
 */
export async function openSmtpdSenders(
  folder: ServerFolder,
  relays: SmtpdRelays,
): Promise<readonly SenderServer[]> {
  const jail = new Jail(join(folder.path, 'opensmtpd'), 'opensmtpd', '/usr/sbin/smtpd', [
    'opensmtpd',
    'opensmtpq',
  ]);
  const port = await freePort();
  jail.write('etc/resolv.conf', `nameserver ${RESOLVER}\n`);
  jail.write('etc/mailname', 'opensmtpd.sender.example\n');
  let running: Daemon | undefined;
  const start = async (name: string): Promise<void> => {
    await running?.stop();
    rmSync(join(jail.root, 'var/spool/smtpd'), { recursive: true, force: true });
    const daemon = folder.add(jail.run(['-d', '-f', `/etc/${name}.conf`]));
    running = daemon;
    await until(
      'smtpd',
      () => greets('127.0.0.1', port),
      () => daemon.log,
    );
  };
  return Object.entries(relays).map(([name, relay]) => {
    jail.write(
      `etc/${name}.conf`,
      // OpenSMTPD keeps an idle connection open for 10 seconds by default.
      `listen on 127.0.0.1 port ${port}
mta limit session-keepalive 1
action "out" ${smtpdAction(relay)}
match from any for any action "out"
`,
    );
    return {
      name,
      from: 'test@sender.example',
      at: { address: '127.0.0.1', port },
      follow: (receivers) => {
        jail.write('etc/ssl/certs/ca-certificates.crt', receivers.rootPem);
        return start(name);
      },
    };
  });
}

/** Returns the method and options of an action in smtpd.conf. */
export function smtpdAction(relay = ''): string {
  return `relay ${relay} helo opensmtpd.sender.example`;
}

const tap = `
import re, socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
# SO_RCVBUFFORCE, which the module does not name.
raw.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)
raw.bind(('lo', 0))
print('listening', flush=True)
while True:
    frame = raw.recv(1 << 17)
    packet = frame[14:]
    head = (packet[0] & 15) * 4
    if packet[0] >> 4 != 4 or packet[9] != 6 or packet[head + 2:head + 4] != b'\\0\\x19':
        continue
    for case in re.findall(rb'Test message for the case ([a-z0-9-]+):', packet):
        print('plaintext', case.decode(), flush=True)
`;

/** Reads every packet to port 25 of this machine, and finds messages in plaintext. */
export class WireTap {
  readonly #daemon: Daemon;

  constructor(folder: string) {
    this.#daemon = new Daemon('python3', ['-u', '-c', tap], folder);
  }

  async ready(): Promise<void> {
    const listening = (): Promise<boolean> =>
      Promise.resolve(this.#daemon.log.includes('listening'));
    await until('the packet capture', listening, () => this.#daemon.log);
  }

  /** Returns the cases whose message was readable since the last call. */
  take(): readonly string[] {
    const cases = [...this.#daemon.log.matchAll(/^plaintext (\S+)$/gm)].map(([, id = '']) => id);
    this.#daemon.log = '';
    return [...new Set(cases)].sort();
  }

  stop(): Promise<void> {
    return this.#daemon.stop();
  }
}
