import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, runProgram, until } from './process.js';

/** A validating unbound that knows one authoritative server. */
export class Unbound {
  #daemon: Daemon | undefined;

  constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  async start(authoritativePort: number, zones: readonly string[], anchorFile: string): Promise<void> {
    const file = join(this.folder, 'unbound.conf');
    const stubs = zones.map((zone) => `stub-zone:\n  name: "${zone}"\n  stub-addr: 127.0.0.1@${authoritativePort}\n  stub-prime: no\n`);
    writeFileSync(
      file,
      `server:
  interface: 127.0.0.1@${this.port}
  directory: "${this.folder}"
  chroot: ""
  username: ""
  pidfile: "${join(this.folder, 'unbound.pid')}"
  use-syslog: no
  logfile: ""
  do-not-query-localhost: no
  do-ip6: no
  num-threads: 1
  trust-anchor-file: "${anchorFile}"
  module-config: "validator iterator"
  qname-minimisation: no
remote-control:
  control-enable: no
${stubs.join('')}`,
    );
    this.#daemon = new Daemon('unbound', ['-d', '-c', file], this.folder);
    await until(
      'unbound',
      async () =>
        /flags:[^;]* ad[ ;]/.test(
          (await runProgram('dig', ['+tries=1', '+time=1', '+dnssec', '@127.0.0.1', '-p', String(this.port), '.', 'SOA'])).out,
        ),
      () => this.log,
    );
  }

  get log(): string {
    return this.#daemon?.log ?? '';
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }
}
