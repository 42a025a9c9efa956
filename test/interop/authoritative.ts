import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, runProgram, until } from './process.js';

/** A zone before its signing. In a list of zones, children precede their parents. */
export interface ZoneToSign {
  /** A domain name, such as `.` or `mail.example`. */
  readonly name: string;
  /** Zone file lines below SOA and NS. */
  readonly records: string;
  /** The signature algorithm and the kind of denial; omitted for an unsigned zone. */
  readonly signed?: {
    readonly algorithm: 'RSASHA256' | 'ECDSAP256SHA256' | 'ECDSAP384SHA384' | 'ED25519';
    readonly denial: Denial;
  };
}

type Denial = 'nsec' | 'nsec3' | 'nsec3-optout';

/** A name server whose zones are signed by its own tools. */
export interface Authoritative {
  readonly name: string;
  /**
   * Starts the server on a loopback port: signs the zones, and writes the root's key to
   * `anchorFile`.
   */
  start(
    folder: string,
    port: number,
    zones: readonly ZoneToSign[],
  ): Promise<{ readonly anchorFile: string; stop(): Promise<void> }>;
}

/** NSD with zones that ldns signed. */
export const nsd: Authoritative = {
  name: 'NSD and ldns',
  async start(folder, port, zones) {
    const cwd = prepare(folder, zones);
    for (const { name, signed } of zones) {
      if (!signed) continue;
      const bits = signed.algorithm === 'RSASHA256' ? ['-b', '2048'] : [];
      const key = (
        await runProgram('ldns-keygen', ['-k', '-a', signed.algorithm, ...bits, name], { cwd })
      ).out.trim();
      appendFileSync(
        join(cwd, fileOf(parentOf(name, zones))),
        readFileSync(join(cwd, `${key}.ds`), 'utf8'),
      );
      if (name === '.')
        writeFileSync(join(folder, 'root.key'), readFileSync(join(cwd, `${key}.key`), 'utf8'));
      const denial = {
        nsec: [],
        nsec3: ['-n', '-t', '0'],
        'nsec3-optout': ['-n', '-p', '-t', '0'],
      }[signed.denial];
      await runProgram(
        'ldns-signzone',
        [...denial, '-o', name, '-f', `${fileOf(name)}.signed`, fileOf(name), key],
        { cwd },
      );
    }
    const blocks = zones.map(
      ({ name, signed }) =>
        `zone:\n  name: "${name}"\n  zonefile: "${fileOf(name)}${signed ? '.signed' : ''}"\n`,
    );
    writeFileSync(
      join(folder, 'nsd.conf'),
      `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  chroot: ""
  zonesdir: "${cwd}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  xfrdfile: "${folder}/xfrd.state"
  zonelistfile: "${folder}/zone.list"
  do-ip6: no
remote-control:
  control-enable: no
${blocks.join('')}`,
    );
    return serving(new Daemon('nsd', ['-d', '-c', join(folder, 'nsd.conf')], cwd), folder, port);
  },
};

/** Knot DNS, which signs its zones itself. */
export const knot: Authoritative = {
  name: 'Knot DNS',
  async start(folder, port, zones) {
    const cwd = prepare(folder, zones);
    const conf = join(folder, 'knot.conf');
    const policies = zones.flatMap(({ name, signed }) =>
      signed
        ? `  - id: "p-${name}"
    manual: on
    algorithm: ${signed.algorithm.toLowerCase()}
    nsec3: ${signed.denial === 'nsec' ? 'off' : 'on'}
    nsec3-iterations: 0
    nsec3-salt-length: 0
    nsec3-opt-out: ${signed.denial === 'nsec3-optout' ? 'on' : 'off'}
    cds-cdnskey-publish: none
`
        : [],
    );
    const blocks = zones.map(
      ({ name, signed }) =>
        `  - domain: "${name}"\n    file: "${join(cwd, fileOf(name))}"\n    zonefile-sync: -1\n    journal-content: none\n    zonefile-load: whole\n${
          signed ? `    dnssec-signing: on\n    dnssec-policy: "p-${name}"\n` : ''
        }`,
    );
    writeFileSync(
      conf,
      `server:
    listen: 127.0.0.1@${port}
    rundir: "${folder}"
database:
    storage: "${folder}"
control:
    listen: "${folder}/knot.sock"
log:
  - target: stderr
    any: warning
policy:
${policies.join('')}zone:
${blocks.join('')}`,
    );
    const keymgr = async (...args: string[]): Promise<string> =>
      (await runProgram('keymgr', ['-c', conf, ...args], { cwd })).out;
    for (const { name, signed } of zones) {
      if (!signed) continue;
      await keymgr(name, 'generate', `algorithm=${signed.algorithm}`, 'ksk=yes', 'zsk=yes');
      appendFileSync(join(cwd, fileOf(parentOf(name, zones))), await keymgr(name, 'ds'));
      if (name === '.') writeFileSync(join(folder, 'root.key'), await keymgr(name, 'dnskey'));
    }
    return serving(new Daemon('knotd', ['-c', conf], cwd), folder, port);
  },
};

/** Writes the zone files unsigned. */
function prepare(folder: string, zones: readonly ZoneToSign[]): string {
  const cwd = join(folder, 'zones');
  mkdirSync(cwd, { recursive: true });
  for (const { name, records } of zones)
    writeFileSync(
      join(cwd, fileOf(name)),
      `$ORIGIN ${name === '.' ? '.' : `${name}.`}\n$TTL 60\n@ SOA ns.example. hostmaster.example. 1 3600 600 864000 60\n@ NS ns.example.\n${records}\n`,
    );
  return cwd;
}

async function serving(
  daemon: Daemon,
  folder: string,
  port: number,
): Promise<{ anchorFile: string; stop(): Promise<void> }> {
  const ask = ['+tries=1', '+time=1', '+dnssec', '@127.0.0.1', '-p', String(port), '.', 'SOA'];
  await until(
    'the authoritative server',
    async () => /RRSIG\tSOA/.test((await runProgram('dig', ask)).out),
    () => daemon.log,
  );
  return { anchorFile: join(folder, 'root.key'), stop: () => daemon.stop() };
}

/** Returns the zone of a DS record. The DS of the root is not used. */
function parentOf(name: string, zones: readonly ZoneToSign[]): string {
  const above = zones.filter(
    (z) => z.name !== name && (z.name === '.' || name.endsWith(`.${z.name}`)),
  );
  return above.sort((a, b) => b.name.length - a.name.length)[0]?.name ?? 'nowhere';
}

function fileOf(name: string): string {
  return name === '.' ? 'root.zone' : `${name}.zone`;
}
