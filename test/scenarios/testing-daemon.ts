import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createCa, issue } from '../../src/pki/index.js';
import { waitUntil } from '../support/wait-until.js';

/** The jobs that run, and the path of the database. */
export interface DaemonSettings {
  readonly store?: string;
  /** Further lines of the configuration. */
  readonly more?: string;
}

/**
 * `hermetic serve` as a separate process, with a store in a folder, the report
 * receiver, Postfix lookups and metrics.
 */
export class DaemonProcess {
  #said = '';

  private constructor(
    readonly child: ChildProcess,
    readonly config: string,
    readonly store: string,
    private readonly folder: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => (this.#said += bytes.toString()));
  }

  static async start(
    t: TestContext,
    folder: string,
    settings: DaemonSettings = {},
  ): Promise<DaemonProcess> {
    const store = join(folder, settings.store ?? 'hermetic.db');
    const config = join(folder, `hermetic-${process.hrtime.bigint()}.yaml`);
    makeCertificate(folder);
    writeFileSync(config, configuration(folder, store, settings.more));
    const child = spawn(process.execPath, ['dist/src/cli/main.js', 'serve', '--config', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    const daemon = new DaemonProcess(child, config, store, folder);
    await daemon.says(/listening what=metrics/);
    return daemon;
  }

  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async says(pattern: RegExp): Promise<void> {
    await waitUntil(
      String(pattern),
      () => pattern.test(this.#said) || this.child.exitCode !== null,
    );
    if (!pattern.test(this.#said)) throw new Error(this.#said);
  }

  /**
   * Sends SIGHUP, with another configuration if the argument names one, and waits for the
   * outcome.
   */
  async reload(settings?: DaemonSettings | 'broken'): Promise<void> {
    if (settings === 'broken') writeFileSync(this.config, 'postfix: {no: 1}\n');
    else if (settings)
      writeFileSync(
        this.config,
        configuration(
          this.folder,
          join(this.folder, settings.store ?? 'hermetic.db'),
          settings.more,
        ),
      );
    const outcomes = (): number => (this.#said.match(/ (reloaded|reload-failed)/g) ?? []).length;
    const before = outcomes();
    this.child.kill('SIGHUP');
    await waitUntil('the outcome of a reload', () => outcomes() > before);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }

  port(what: string): number {
    const [, port] =
      new RegExp(`listening what=${what} at=127\\.0\\.0\\.1:(\\d+)`).exec(this.#said) ?? [];
    return Number(port);
  }

  /** Returns the status of a report sent by HTTPS; undefined if the connection ended. */
  post(body: string): Promise<number | undefined> {
    const options = {
      host: '127.0.0.1',
      port: this.port('web'),
      method: 'POST',
      rejectUnauthorized: false,
      servername: 'reports.rcpt.example',
      headers: { host: 'reports.rcpt.example' },
      agent: false,
    } as const;
    return new Promise((resolve) => {
      const sent = request(options, (response) => {
        response.resume();
        response.on('close', () => resolve(response.statusCode));
      });
      sent.on('error', () => resolve(undefined)).end(body);
    });
  }

  async get(path: '/health' | '/metrics'): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.port('metrics')}${path}`)).text();
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /**
   * Returns the fcntl locks on the database and its shared memory, as the kernel lists
   * them.
   */
  locks(): readonly string[] {
    const inodes = [this.store, `${this.store}-shm`].map((file) =>
      String(statSync(file, { throwIfNoEntry: false })?.ino),
    );
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((parts) => parts[4] === String(this.pid))
      .filter((parts) => inodes.includes((parts[5] ?? '').split(':')[2] ?? ''))
      .map((parts) => parts.slice(1).join(' '))
      .sort();
  }
}

function configuration(folder: string, store: string, more = ''): string {
  return `resolver: {addresses: ['127.0.0.1:9']}
store: {file: ${store}}
metrics: {listen: '127.0.0.1:0'}
web: {listen: '127.0.0.1:0', certificates: [{chain: ${folder}/chain.pem, key: ${folder}/key.pem}]}
report:
  domains: [rcpt.example]
  https: {host: reports.rcpt.example, path: /}
  checkHours: 0
  perMinute: 100000
postfix: {version: '3.7', listen: '127.0.0.1:0', resolver: {file: ${folder}/resolv.conf}}
${more}`;
}

function makeCertificate(folder: string): void {
  const certificate = issue(createCa({ name: 'Daemon CA' }), { names: ['reports.rcpt.example'] });
  writeFileSync(join(folder, 'chain.pem'), certificate.chainPem);
  writeFileSync(join(folder, 'key.pem'), certificate.keyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 192.0.2.1\n');
}
