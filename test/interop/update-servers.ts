import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, runProgram, until } from './process.js';

/**
 * A primary that signs its own zone and accepts updates: one key may change only listed
 * names and types.
 */
export interface UpdateServer {
  readonly name: string;
  start(
    folder: string,
    at: { readonly address: string; readonly port: number },
    zone: UpdatedZone,
  ): Promise<Daemon>;
}

export interface UpdatedZone {
  /** Apex, without final dot. */
  readonly zone: string;
  /** Zone file lines below the SOA. */
  readonly records: string;
  readonly key: string;
  /** base64. */
  readonly secret: string;
  readonly grants: readonly { readonly owner: string; readonly types: readonly string[] }[];
}

export const bind: UpdateServer = {
  name: 'BIND',
  async start(folder, { address, port }, { zone, records, key, secret, grants }) {
    writeZone(folder, zone, records);
    const policy = grants
      .map(({ owner, types }) => `grant ${key} name ${owner}. ${types.join(' ')};`)
      .join(' ');
    writeFileSync(
      join(folder, 'named.conf'),
      `options { directory "${folder}"; listen-on port ${port} { ${address}; }; listen-on-v6 { none; }; recursion no; pid-file "${folder}/named.pid"; session-keyfile "${folder}/session.key"; dnssec-validation no; notify no; };
controls { };
key "${key}" { algorithm hmac-sha256; secret "${secret}"; };
dnssec-policy "quick" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; };
zone "${zone}" { type primary; file "${zone}.zone"; key-directory "${folder}"; inline-signing yes; dnssec-policy quick; update-policy { ${policy} }; };
`,
    );
    return serving(
      new Daemon('named', ['-g', '-c', join(folder, 'named.conf')], folder),
      { address, port },
      zone,
    );
  },
};

export const knot: UpdateServer = {
  name: 'Knot',
  async start(folder, { address, port }, { zone, records, key, secret, grants }) {
    writeZone(folder, zone, records);
    writeFileSync(
      join(folder, 'knot.conf'),
      `server:
    listen: ${address}@${port}
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
${grants
  .map(
    ({ owner, types }, i) => `  - id: own${i}
    key: ${key}
    action: update
    update-owner: name
    update-owner-match: equal
    update-owner-name: ${owner}.
    update-type: [${types.join(', ')}]
`,
  )
  .join('')}policy:
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
    acl: [${grants.map((_, i) => `own${i}`).join(', ')}]
`,
    );
    return serving(
      new Daemon('knotd', ['-c', join(folder, 'knot.conf')], folder),
      { address, port },
      zone,
    );
  },
};

/** Writes the zone file into the folder of the server, or into `where`. */
export function writeZone(folder: string, zone: string, records: string, where = folder): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(where, `${zone}.zone`),
    `$ORIGIN ${zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 864000 1\n${records}\n`,
  );
}

/** Resolves when the server answers with the signed zone. */
export async function serving(
  daemon: Daemon,
  { address, port }: { readonly address: string; readonly port: number },
  zone: string,
): Promise<Daemon> {
  const ask = ['+tries=1', '+time=1', '+dnssec', `@${address}`, '-p', String(port), zone, 'SOA'];
  await until(
    'the primary',
    async () => /RRSIG\tSOA/.test((await runProgram('dig', ask, { anyStatus: true })).out),
    () => daemon.log,
  );
  return daemon;
}
