import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Jail } from './jail.js';
import { Daemon, greets, runProgram, until } from './process.js';

/**
 * One smtpd of the instance: its separate address, and its certificate (key first), if
 * any.
 */
export interface PostfixService {
  readonly address: string;
  readonly chainFile?: string;
  /** Whether main.cf contains the TLS settings of the service. */
  readonly asConfigured?: true;
  readonly options?: readonly string[];
}

const daemons = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

export interface PostfixOptions {
  /** The resolv.conf of Postfix; by default that of the system. */
  readonly resolvConf?: string;
  /**
   * The Debian release of this Postfix, such as `trixie`; by default the installed
   * release.
   */
  readonly release?: string;
}

const MASTER = '/usr/lib/postfix/sbin/master';
/** The queue folders that `postfix start` would create. */
const queues = [
  'active',
  'bounce',
  'corrupt',
  'defer',
  'deferred',
  'flush',
  'hold',
  'incoming',
  'maildrop',
  'private',
  'public',
  'saved',
  'trace',
];

/** A private Postfix: configuration, queue and log below a folder. Must run as root. */
export class Postfix {
  readonly #conf: string;
  /**
   * The jail for a Postfix of another release. In a jail the instance starts `master`,
   * because `postfix start` would need a whole system.
   */
  readonly #jail: Jail | undefined;
  #master: Daemon | undefined;

  constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly options: PostfixOptions = {},
  ) {
    this.#conf = join(folder, 'postfix');
    chmodSync(folder, 0o755);
    for (const name of ['postfix', 'queue', 'data'])
      mkdirSync(join(folder, name), { recursive: true });
    if (options.release === undefined) {
      execFileSync('chown', ['postfix', join(folder, 'data')]);
      return;
    }
    this.#jail = new Jail(
      join(folder, 'jail'),
      'postfix',
      MASTER,
      ['postfix', 'postdrop', 'nobody'],
      options.release,
    );
    this.#jail.write('etc/resolv.conf', '');
    mkdirSync(join(this.#jail.root, folder), { recursive: true });
    mkdirSync(join(folder, 'queue', 'pid'), { recursive: true });
    const made = queues.map((name) => join(folder, 'queue', name));
    for (const path of made) mkdirSync(path, { recursive: true });
    for (const path of [...made, join(folder, 'data')])
      chownSync(path, this.#jail.idOf(1), this.#jail.idOf(1));
  }

  /** @param master further lines of master.cf */
  async start(
    services: readonly PostfixService[],
    main: readonly string[] = [],
    master: readonly string[] = [],
  ): Promise<void> {
    const defaults = [
      'compatibility_level = 3.6',
      `queue_directory = ${join(this.folder, 'queue')}`,
      `data_directory = ${join(this.folder, 'data')}`,
      `maillog_file = ${join(this.folder, 'maillog')}`,
      `maillog_file_prefixes = ${this.folder}`,
      'myhostname = mail.interop.example',
      'mydestination =',
      'inet_protocols = ipv4',
      'smtpd_relay_restrictions = permit_mynetworks, reject',
      'alias_maps =',
      'alias_database =',
    ];
    // postlogd logs a warning about a repeated parameter to its own socket, and blocks
    // forever if the socket is full.
    const settings = new Map([...defaults, ...main].map((line) => [line.split(' =')[0], line]));
    writeFileSync(join(this.#conf, 'main.cf'), `${[...settings.values()].join('\n')}\n`);
    const lines = services.map(({ address, chainFile, asConfigured, options = [] }) => {
      const own = chainFile
        ? [
            'smtpd_tls_security_level=may',
            'smtpd_tls_protocols=>=TLSv1.2',
            `smtpd_tls_chain_files=${chainFile}`,
          ]
        : ['smtpd_tls_security_level=none'];
      const tls = asConfigured ? [] : own;
      return `${address}:${this.port} inet n - n - - smtpd${[...tls, ...options].map((o) => ` -o ${o}`).join('')}\n`;
    });
    writeFileSync(
      join(this.#conf, 'master.cf'),
      daemons + lines.join('') + master.map((line) => `${line}\n`).join(''),
    );
    if (this.#jail)
      this.#master = new Daemon(
        'unshare',
        this.#inside(MASTER, ['-c', this.#conf, '-d']),
        this.folder,
      );
    else await runProgram('unshare', this.#inside('postfix', ['-c', this.#conf, 'start']));
    for (const { address } of services)
      await until(
        `smtpd at ${address}`,
        () => greets(address, this.port),
        () => this.log,
      );
  }

  /** Returns the whole log. */
  get maillog(): string {
    return readFileSync(join(this.folder, 'maillog'), 'utf8');
  }

  /** Runs a tool of this instance, such as `postmap`. */
  tool(name: string, args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    return runProgram('unshare', this.#inside(name, ['-c', this.#conf, ...args]), {
      anyStatus: true,
    });
  }

  /** Runs posttls-finger(1), which reads its configuration from the environment alone. */
  finger(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    return runProgram('unshare', this.#inside('posttls-finger', args), {
      anyStatus: true,
      env: { MAIL_CONFIG: this.#conf },
    });
  }

  /**
   * Returns a separate mount namespace, with another resolv.conf and, for a jail, with
   * the folder at its outer path.
   */
  #inside(program: string, args: readonly string[]): readonly string[] {
    const root = this.#jail?.root ?? '';
    const { resolvConf } = this.options;
    const steps = [
      ...(root === '' ? [] : [`mount --bind ${this.folder} ${root}${this.folder}`]),
      ...(resolvConf === undefined ? [] : [`mount --bind ${resolvConf} ${root}/etc/resolv.conf`]),
      `exec ${root === '' ? '' : `chroot ${root} `}"$@"`,
    ];
    return ['-m', 'sh', '-c', steps.join(' && '), 'sh', program, ...args];
  }

  get log(): string {
    try {
      return readFileSync(join(this.folder, 'maillog'), 'utf8').slice(-20_000);
    } catch {
      return 'no log';
    }
  }

  async stop(): Promise<void> {
    if (this.#jail) await this.#master?.stop();
    else await this.tool('postfix', ['stop']);
  }
}
