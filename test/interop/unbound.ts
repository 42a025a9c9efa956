import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, runProgram, until } from './process.js';

/** A validating unbound with one authoritative server. */
export class Unbound {
  #daemon: Daemon | undefined;

  constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly address = '127.0.0.1',
  ) {}

  start(authoritativePort: number, zones: readonly string[], anchorFile: string): Promise<void> {
    const stubs = zones.map(
      (zone) =>
        `stub-zone:\n  name: "${zone}"\n  stub-addr: 127.0.0.1@${authoritativePort}\n  stub-prime: no\n`,
    );
    return this.#run(stubs.join(''), anchorFile);
  }

  /**
   * Resolves from a private root server; every server listens at port 53 of its address.
   */
  iterate(rootAddress: string, anchorFile: string): Promise<void> {
    return this.#run(
      `stub-zone:\n  name: "."\n  stub-addr: ${rootAddress}\n  stub-prime: no\n`,
      anchorFile,
    );
  }

  /**
   * Queries one other resolver, validates all its answers, infers nothing from earlier
   * answers, and reports the reason for a failure.
   */
  forward(upstreamPort: number, anchorFile: string): Promise<void> {
    return this.#run(
      `server:
  aggressive-nsec: no
  val-max-restart: 0
  ede: yes
  outbound-msg-retry: 1
  infra-keep-probing: yes
  edns-buffer-size: 4096
  max-udp-size: 4096
  outgoing-range: 1024
  num-queries-per-thread: 1024
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${upstreamPort}
`,
      anchorFile,
    );
  }

  /** Queries one other resolver, as the resolver of a mail server would. */
  resolveThrough(
    { address, port }: { readonly address: string; readonly port: number },
    anchorFile: string,
  ): Promise<void> {
    return this.#run(
      `forward-zone:\n  name: "."\n  forward-addr: ${address}@${port}\n`,
      anchorFile,
    );
  }

  async #run(more: string, anchorFile: string): Promise<void> {
    const file = join(this.folder, 'unbound.conf');
    writeFileSync(
      file,
      `server:
  interface: ${this.address}@${this.port}
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
${more}`,
    );
    this.#daemon = new Daemon('unbound', ['-d', '-c', file], this.folder);
    await until(
      'unbound',
      async () =>
        /flags:[^;]* ad[ ;]/.test(
          (
            await runProgram('dig', [
              '+tries=1',
              '+time=1',
              '+dnssec',
              `@${this.address}`,
              '-p',
              String(this.port),
              '.',
              'SOA',
            ])
          ).out,
        ),
      () => this.log,
    );
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  get log(): string {
    return this.#daemon?.log ?? '';
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }
}
