import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createTransport } from 'nodemailer';
import { createLab, type Lab, type Scenario } from '../../src/lab/index.js';
import type { DeliveryResult } from '../../src/tls-policy/index.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';
import { accepts, Daemon, until } from './process.js';
import { Unbound } from './unbound.js';
import { withSocket } from './with-socket.js';

/**
 * The configuration of a real Postfix sender: main.cf alone, or with the socketmap of
 * this program.
 */
export const levels = ['may', 'dane', 'socketmap'] as const;
export type Level = (typeof levels)[number];

/** An entry in resolv.conf cannot name a port. */
const resolverAt = '127.0.78.53';

/**
 * The running programs: a lab opened to other programs, a validating unbound that
 * forwards to it, `hermetic serve` as a process, and a sending Postfix that uses them.
 */
export interface PostfixWorld {
  readonly lab: Lab;
  /** The version of Postfix, as `postconf` prints it. */
  readonly version: string;
  /** The folder of the daemon's files; `hermetic.yaml` is its configuration. */
  readonly folder: string;
  /** Returns the answer to Postfix's own socketmap client; empty for NOTFOUND. */
  ask(key: string): Promise<string>;
  /**
   * Sends a message and resolves to its outcome according to Postfix's log and the lab's
   * servers.
   */
  deliver(level: Level, domain: string): Promise<DeliveryResult>;
  /** Returns the log of Postfix and the daemon during the delivery. */
  logOf(level: Level, domain: string): string;
  stop(): Promise<void>;
}

export interface PostfixWorldOptions {
  readonly scenarios: readonly Scenario[];
  /** Further lines of the daemon's configuration. */
  readonly yaml?: string;
  /** Roots in addition to that of the lab, PEM. */
  readonly roots?: string;
  /**
   * Whether Postfix reports its sessions to the daemon, as 3.10 and newer can
   * (TLSRPT_README).
   */
  readonly sessions?: true;
  /** The Debian release of the sending Postfix; by default the installed release. */
  readonly release?: string;
  /** Real servers, each with the documentation address that represents it in the lab. */
  readonly servers?: readonly {
    readonly address: string;
    readonly at: { readonly address: string; readonly port: number };
  }[];
}

/**
 * Starts the programs. The sender of a message selects the TLS level of its delivery.
 * Needs root.
 */
export async function startPostfixWorld(options: PostfixWorldOptions): Promise<PostfixWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-postfix-'));
  const running: { stop(): Promise<void> }[] = [
    { stop: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })) },
  ];
  const stop = async (): Promise<void> => {
    for (const one of [...running].reverse()) await one.stop();
  };
  try {
    return await arrange(options, folder, running, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function arrange(
  {
    scenarios,
    yaml = '',
    roots: moreRoots = '',
    servers = [],
    release,
    sessions,
  }: PostfixWorldOptions,
  folder: string,
  running: { stop(): Promise<void> }[],
  stop: () => Promise<void>,
): Promise<PostfixWorld> {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const ports = { smtp: await freePort(), map: await freePort() };
  const lab = await createLab({ scenarios });
  running.push({ stop: () => lab.close() });
  for (const { address, at } of servers) lab.attach(address, 25, at);
  const { resolver, anchorLine } = await lab.expose();
  const anchors = file('anchor', anchorLine);
  const roots = file('roots.pem', lab.rootPem + moreRoots);
  const resolvConf = file('resolv.conf', `nameserver ${resolverAt}\n`);

  const unbound = new Unbound(folder, 53, resolverAt);
  running.push(unbound);
  await unbound.resolveThrough(resolver, anchors);

  const postfix = new Postfix(folder, ports.smtp, {
    resolvConf,
    ...(release === undefined ? {} : { release }),
  });
  running.push(postfix);
  const version = (await postfix.tool('postconf', ['-dh', 'mail_version'])).out.trim();
  const config = `resolver: {addresses: ["${resolverAt}"], trustAnchor: ${anchors}}
roots: {replace: ${roots}}
network: {privateAddresses: allow}
store: {file: ${join(folder, 'hermetic.db')}}
postfix:
  listen: 127.0.0.1:${ports.map}
  version: "${version}"
  resolver: {file: ${resolvConf}}
${yaml}`;
  const serve = [
    process.execPath,
    resolve('dist/src/cli/main.js'),
    'serve',
    '--config',
    file('hermetic.yaml', config),
  ] as const;
  const socket = join(folder, 'tlsrpt');
  const daemon = sessions
    ? new Daemon('python3', withSocket(socket, serve), folder)
    : new Daemon(serve[0], serve.slice(1), folder);
  running.push(daemon);
  await until(
    'hermetic serve',
    () => accepts('127.0.0.1', ports.map),
    () => daemon.log,
  );

  const map = `socketmap:inet:127.0.0.1:${ports.map}:hermetic`;
  await postfix.start(
    [{ address: '127.0.0.1' }],
    [
      'mynetworks = 127.0.0.0/8',
      'smtp_dns_support_level = dnssec',
      'smtp_host_lookup = dns',
      'smtp_tls_dane_insecure_mx_policy = dane',
      `smtp_tls_CAfile = ${roots}`,
      'smtp_tls_loglevel = 1',
      'smtp_connect_timeout = 3',
      'smtp_helo_timeout = 5',
      `sender_dependent_default_transport_maps = inline:{${levels.map((l) => `{ ${l}@sender.example = smtp-${l}: }`).join(', ')}}`,
      'notify_classes =',
      ...(sessions ? ['smtp_tlsrpt_enable = yes', `smtp_tlsrpt_socket_name = ${socket}`] : []),
    ],
    [
      client('may', 'smtp_tls_security_level=may'),
      client('dane', 'smtp_tls_security_level=dane'),
      client('socketmap', 'smtp_tls_security_level=may', `smtp_tls_policy_maps=${map}`),
    ],
  );
  const transport = createTransport({ host: '127.0.0.1', port: ports.smtp, ignoreTLS: true });
  const logOf = (level: Level, domain: string): string => {
    const lines = postfix.maillog.split('\n');
    const last = lines.findIndex((line) => line.includes(`to=<${level}@${domain}>`));
    return [
      ...lines.slice(Math.max(0, last - 8), last + 1),
      ...daemon.log.split('\n').filter((line) => line.includes(domain)),
    ].join('\n');
  };
  return {
    lab,
    version,
    folder,
    logOf,
    async ask(key) {
      const { out, err } = await postfix.tool('postmap', ['-q', key, map]);
      return out.trim() || err.trim();
    },
    async deliver(level, domain) {
      const to = `${level}@${domain}`;
      await transport.sendMail({
        envelope: { from: `${level}@sender.example`, to },
        subject: 'interop',
        text: 'Hello.',
      });
      let line: string | undefined;
      await until(
        `delivery to ${to}`,
        async () => (line = deliveryLine(postfix.maillog, to)) !== undefined,
        () => `${postfix.log}\n${daemon.log}`,
      );
      return outcomeOf(line ?? '', postfix.maillog, lab, to);
    },
    stop,
  };
}

function client(level: Level, ...options: string[]): string {
  return [
    `smtp-${level} unix - - n - - smtp -o syslog_name=${level}`,
    ...options.map((o) => `-o ${o}`),
  ].join(' ');
}

function deliveryLine(log: string, to: string): string | undefined {
  return log.split('\n').find((line) => line.includes(`to=<${to}>`) && line.includes(' status='));
}

/**
 * Returns the entries of Postfix's log and the observations of the lab's servers, which
 * must agree.
 */
function outcomeOf(line: string, log: string, lab: Lab, to: string): DeliveryResult {
  if (line.includes('status=deferred')) return 'deferred';
  if (!line.includes('status=sent')) throw new Error(line);
  const tls = tlsLine(line, log);
  const received = lab.mail.find((mail) => mail.to.includes(to));
  if (received && received.sealed !== (tls !== undefined))
    throw new Error(`Postfix and the server disagree whether TLS was used: ${line}`);
  if (received?.server === 'attacker') return 'to-attacker';
  return tls === undefined
    ? 'cleartext'
    : tls.includes(': Verified TLS connection')
      ? 'verified'
      : 'unverified';
}

/** Returns the last TLS line of the same process and host before the delivery. */
function tlsLine(line: string, log: string): string | undefined {
  const program = /(\S+\[\d+\]): /.exec(line)?.[1] ?? '';
  const host = /relay=([^,]+?):\d+,/.exec(line)?.[1] ?? '';
  const lines = log.split('\n');
  return lines
    .slice(0, lines.indexOf(line))
    .filter((l) => l.includes(program) && l.includes(`TLS connection established to ${host}`))
    .at(-1);
}
