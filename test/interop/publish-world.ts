import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createCa } from '../../src/pki/index.js';
import { Bind } from './bind.js';
import { Pebble } from './pebble.js';
import { Daemon, runProgram } from './process.js';
import { Unbound } from './unbound.js';
import type { UpdateServer } from './update-servers.js';

export interface PublishWorldOptions {
  readonly nameServer: UpdateServer;
  readonly domain: string;
  /** Mail hosts, each with a separate address. */
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
  /** The TTL of the records that change, seconds. */
  readonly ttl: number;
  /** The lifetime of certificates, seconds. */
  readonly lifetime: number;
  /**
   * The alias target of `_acme-challenge.mta-sts.DOMAIN`. If set, only the target name
   * may change.
   */
  readonly answersAt?: string;
  /**
   * Whether the DS record of the domain matches no key; pebble then asks the validating
   * resolver, as public CAs do.
   */
  readonly isBogus?: boolean;
  /** Environment variables for pebble. */
  readonly pebble?: Readonly<Record<string, string>>;
}

/** The addresses of the programs, at the usual ports. */
export const at = {
  web: '127.31.0.1',
  sender: '127.31.0.25',
  resolver: '127.31.0.53',
  primary: '127.31.0.54',
  parents: '127.31.0.55',
  ca: '127.31.0.80',
};

/**
 * The world of a publishing operator, on loopback and the real clock: the root and
 * `example` signed by BIND's tools, the domain at a primary that signs it and accepts
 * updates of exact names and types, unbound, pebble, and `hermetic` as a process. Needs
 * root.
 */
export class PublishWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'hermetic-publish-'));
  readonly #running: { stop(): Promise<void> }[] = [];
  #serving: Daemon | undefined;
  #pebble: Pebble | undefined;

  private constructor(readonly options: PublishWorldOptions) {
    // Daemons of other programs run as separate users.
    chmodSync(this.folder, 0o755);
  }

  static async start(options: PublishWorldOptions): Promise<PublishWorld> {
    const world = new PublishWorld(options);
    try {
      await world.#arrange();
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  async #arrange(): Promise<void> {
    const { folder, options } = this;
    const { domain, lifetime, isBogus = false, pebble: env = {} } = options;
    await this.#primary();
    const parents = this.with(new Bind(join(folder, 'parents'), 53, at.parents));
    const ds = await this.#ds();
    this.file(
      `parents/zones/dsset-${domain}.`,
      isBogus ? ds.replace(/[0-9A-F]{8}\s*$/, 'DEADBEEF\n') : ds,
    );
    const delegation = `${domain}. NS ns.${domain}.\nns.${domain}. A ${at.primary}`;
    await parents.start([
      { name: 'example', records: `ns A ${at.parents}\nca A ${at.ca}\n${delegation}` },
      { name: '.', records: `example NS ns.example.\nns.example A ${at.parents}` },
    ]);
    this.file('anchor', readFileSync(parents.anchorFile, 'utf8'));
    await this.with(new Unbound(folder, 53, at.resolver)).iterate(at.parents, parents.anchorFile);
    const webCa = createCa({ name: 'Web Root' });
    this.file('web-root.pem', webCa.certPem);
    const pebble = {
      folder,
      address: at.ca,
      name: 'ca.example',
      webCa,
      resolver: `${isBogus ? at.resolver : at.primary}:53`,
      lifetime,
      env,
    };
    this.#pebble = this.with(new Pebble(pebble));
    await this.#pebble.start();
    this.file('roots.pem', await this.#pebble.rootPem());
  }

  async #primary(): Promise<void> {
    const { domain, nameServer, hosts, ttl, answersAt } = this.options;
    const asked = `_acme-challenge.mta-sts.${domain}`;
    const secret = Buffer.alloc(32, 7).toString('base64');
    this.file(
      'tsig.key',
      `key "hermetic" {\n\talgorithm hmac-sha256;\n\tsecret "${secret}";\n};\n`,
      0o600,
    );
    const records = [
      '@ NS ns',
      `@ ${ttl} MX 10 ${hosts[0]?.name ?? ''}.`,
      `ns A ${at.primary}`,
      `policy A ${at.web}`,
      ...hosts.map(({ name, address }) => `${name}. A ${address}`),
      ...(answersAt === undefined ? [] : [`${asked}. CNAME ${answersAt}.`]),
    ];
    const grants = [
      { owner: domain, types: ['MX'] },
      { owner: `mta-sts.${domain}`, types: ['CNAME'] },
      ...[`_mta-sts.${domain}`, `_smtp._tls.${domain}`, answersAt ?? asked].map((owner) => ({
        owner,
        types: ['TXT'],
      })),
      ...hosts.map(({ name }) => ({ owner: `_acme-challenge.${name}`, types: ['TXT'] })),
      ...hosts.map(({ name }) => ({ owner: `_25._tcp.${name}`, types: ['TLSA'] })),
    ];
    const zone = { zone: domain, records: records.join('\n'), key: 'hermetic', secret, grants };
    this.with(
      await nameServer.start(join(this.folder, 'primary'), { address: at.primary, port: 53 }, zone),
    );
  }

  async #ds(): Promise<string> {
    const { domain } = this.options;
    const file = this.file(
      'dnskey',
      (await runProgram('dig', ['+noall', '+answer', `@${at.primary}`, domain, 'DNSKEY'])).out,
    );
    return (await runProgram('dnssec-dsfromkey', ['-2', '-f', file, domain])).out;
  }

  /** Writes a file for a program of the world and resolves to its path. */
  file(name: string, text: string, mode = 0o644): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    return path;
  }

  /** Registers a part that stops with the world. The last part stops first. */
  with<T extends { stop(): Promise<void> }>(one: T): T {
    this.#running.push(one);
    return one;
  }

  /** Returns the part of `hermetic.yaml` for this world. */
  get settings(): string {
    const { folder } = this;
    return `store: {file: ${join(folder, 'hermetic.db')}}
resolver: {addresses: [${at.resolver}], trustAnchor: ${join(folder, 'anchor')}}
roots: {replace: ${join(folder, 'roots.pem')}}
network: {privateAddresses: allow}
`;
  }

  /** Returns the URL of the directory of pebble. */
  get directory(): string {
    return this.#pebble?.directory ?? '';
  }

  /** Returns `publish.acme` and `publish.dns` of this world. */
  publishing(challenge: string): string {
    return `  keys: ${join(this.folder, 'keys')}
  acme: {directory: '${this.directory}', agreed: true, challenge: ${challenge}, roots: ${join(this.folder, 'web-root.pem')}}
  dns: {own: {kind: rfc2136, server: '${at.primary}', zone: ${this.options.domain}, key: ${join(this.folder, 'tsig.key')}}}
`;
  }

  /** Starts `hermetic serve` with this configuration, or reloads it. */
  serve(yaml: string): void {
    const file = this.file('hermetic.yaml', yaml);
    if (this.#serving) process.kill(this.#serving.pid, 'SIGHUP');
    else
      this.#serving = this.with(
        new Daemon(
          process.execPath,
          [resolve('dist/src/cli/main.js'), 'serve', '--config', file],
          this.folder,
        ),
      );
  }

  /** Runs a command of this program and returns its output; adds `--config`. */
  async hermetic(...args: readonly string[]): Promise<string> {
    const { out } = await runProgram(process.execPath, [resolve('dist/src/cli/main.js'), ...args], {
      timeoutMs: 60_000,
    });
    return out;
  }

  /** Returns the records of the primary, in presentation form, sorted. */
  async records(name: string, type: string): Promise<readonly string[]> {
    const { out } = await runProgram('dig', ['+short', '+nosplit', `@${at.primary}`, name, type], {
      anyStatus: true,
    });
    return out
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(';'))
      .map((line) => (type === 'TLSA' ? line.toLowerCase() : line))
      .sort();
  }

  /** Returns the logs of all programs. */
  get log(): string {
    return [`hermetic:\n${this.#serving?.log ?? ''}`, `pebble:\n${this.#pebble?.log ?? ''}`]
      .join('\n')
      .slice(-60_000);
  }

  async stop(): Promise<void> {
    for (const one of this.#running.reverse()) await one.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
