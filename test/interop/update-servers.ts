import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, runProgram, until } from './process.js';

/** A primary that takes updates: one key may change one name, and only some types of it. */
export interface UpdateServer {
  readonly name: string;
  start(folder: string, port: number, grant: Grant): Promise<Daemon>;
}

export interface Grant {
  /** Apex, without final dot. */
  readonly zone: string;
  readonly key: string;
  /** base64. */
  readonly secret: string;
  readonly owners: readonly string[];
  readonly types: readonly string[];
}

export const bind: UpdateServer = {
  name: 'BIND',
  async start(folder, port, { zone, key, secret, owners, types }) {
    writeZone(folder, zone);
    const grants = owners.map((owner) => `grant ${key} name ${owner}. ${types.join(' ')};`).join(' ');
    writeFileSync(
      join(folder, 'named.conf'),
      `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file "${folder}/named.pid"; session-keyfile "${folder}/session.key"; dnssec-validation no; notify no; };
controls { };
key "${key}" { algorithm hmac-sha256; secret "${secret}"; };
dnssec-policy "quick" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; };
zone "${zone}" { type primary; file "${zone}.zone"; key-directory "${folder}"; inline-signing yes; dnssec-policy quick; update-policy { ${grants} }; };
`,
    );
    return serving(new Daemon('named', ['-g', '-c', join(folder, 'named.conf')], folder), port, zone);
  },
};

export const knot: UpdateServer = {
  name: 'Knot',
  async start(folder, port, { zone, key, secret, owners, types }) {
    writeZone(folder, zone);
    writeFileSync(
      join(folder, 'knot.conf'),
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
key:
  - id: ${key}
    algorithm: hmac-sha256
    secret: ${secret}
acl:
  - id: own
    key: ${key}
    action: update
    update-owner: name
    update-owner-match: equal
    update-owner-name: [${owners.map((owner) => `${owner}.`).join(', ')}]
    update-type: [${types.join(', ')}]
policy:
  - id: quick
    algorithm: ecdsap256sha256
    single-type-signing: on
    cds-cdnskey-publish: none
zone:
  - domain: ${zone}
    file: "${join(folder, `${zone}.zone`)}"
    zonefile-sync: -1
    dnssec-signing: on
    dnssec-policy: quick
    acl: own
`,
    );
    return serving(new Daemon('knotd', ['-c', join(folder, 'knot.conf')], folder), port, zone);
  },
};

function writeZone(folder: string, zone: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, `${zone}.zone`),
    `$ORIGIN ${zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 864000 60\n@ NS ns\n@ MX 10 mx\nns A 127.0.0.1\nmx A 127.0.0.1\n`,
  );
}

async function serving(daemon: Daemon, port: number, zone: string): Promise<Daemon> {
  const ask = ['+tries=1', '+time=1', '+dnssec', '@127.0.0.1', '-p', String(port), zone, 'SOA'];
  await until(
    'the primary',
    async () => /RRSIG\tSOA/.test((await runProgram('dig', ask, { anyStatus: true })).out),
    () => daemon.log,
  );
  return daemon;
}
