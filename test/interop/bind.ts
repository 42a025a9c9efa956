import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, runProgram, until } from './process.js';

export interface BindZone {
  /** A domain name, such as `.` or `mail.example`. */
  readonly name: string;
  /** Zone file lines below SOA and NS. */
  readonly records: string;
  readonly nsec3?: boolean;
  /** Seconds for which a resolver caches absence. Default 60. */
  readonly minimum?: number;
}

/**
 * A signed hierarchy, created by BIND's own tools and served by named. Zones are ordered
 * from child to parent, so that the DS of a child exists when its parent is signed.
 */
export class Bind {
  #named: Daemon | undefined;
  anchorFile = '';

  constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly address = '127.0.0.1',
  ) {}

  async start(zones: readonly BindZone[]): Promise<void> {
    mkdirSync(join(this.folder, 'zones'), { recursive: true });
    const cwd = join(this.folder, 'zones');
    for (const zone of zones) await sign(cwd, zone);
    this.anchorFile = join(this.folder, 'root.key');
    const keys = readdirSync(cwd).filter((f) => /^K\.\+.*\.key$/.test(f));
    const lines = keys
      .flatMap((f) => readFileSync(join(cwd, f), 'utf8').split('\n'))
      .filter((l) => / DNSKEY 257 /.test(l));
    writeFileSync(this.anchorFile, `${lines.join('\n')}\n`);
    const blocks = zones.map(
      ({ name }) => `zone "${name}" { type primary; file "${fileOf(name)}.signed"; };\n`,
    );
    writeFileSync(
      join(cwd, 'named.conf'),
      `options { directory "${cwd}"; listen-on port ${this.port} { ${this.address}; }; listen-on-v6 { none; }; recursion no; pid-file "${cwd}/named.pid"; session-keyfile "${cwd}/session.key"; dnssec-validation no; notify no; };\ncontrols { };\n${blocks.join('')}`,
    );
    this.#named = new Daemon('named', ['-g', '-c', join(cwd, 'named.conf')], cwd);
    await until(
      'named',
      async () =>
        /NOERROR/.test(
          (
            await runProgram('dig', [
              '+tries=1',
              '+time=1',
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

  /** Replaces the records of a zone and signs them with its existing keys. */
  async change(zone: BindZone): Promise<void> {
    await signAgain(join(this.folder, 'zones'), zone);
    process.kill(this.#named?.pid ?? 0, 'SIGHUP');
  }

  get log(): string {
    return this.#named?.log ?? '';
  }

  async stop(): Promise<void> {
    await this.#named?.stop();
  }
}

async function sign(cwd: string, zone: BindZone): Promise<void> {
  for (const flags of [['-f', 'KSK'], []])
    await runProgram('dnssec-keygen', ['-q', '-a', 'ECDSAP256SHA256', ...flags, originOf(zone)], {
      cwd,
    });
  await signAgain(cwd, zone);
}

let serial = 0;

async function signAgain(cwd: string, zone: BindZone): Promise<void> {
  const { name, records, nsec3 = false, minimum = 60 } = zone;
  writeFileSync(
    join(cwd, fileOf(name)),
    `$ORIGIN ${originOf(zone)}\n$TTL 60\n@ SOA ns.example. hostmaster.example. ${++serial} 3600 600 86400 ${minimum}\n@ NS ns.example.\n${records}\n`,
  );
  await runProgram(
    'dnssec-signzone',
    ['-q', '-S', '-g', '-z', ...(nsec3 ? ['-3', '-'] : []), '-o', originOf(zone), fileOf(name)],
    { cwd },
  );
}

function originOf({ name }: BindZone): string {
  return name === '.' ? '.' : `${name}.`;
}

function fileOf(name: string): string {
  return name === '.' ? 'root.zone' : `${name}.zone`;
}
