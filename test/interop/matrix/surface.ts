import { createHash } from 'node:crypto';
import type { CheckResult, Evidence } from '../../../src/evidence/index.js';

export type Version = 'SSLv2' | 'SSLv3' | 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
export const versions: readonly Version[] = [
  'SSLv2',
  'SSLv3',
  'TLSv1',
  'TLSv1.1',
  'TLSv1.2',
  'TLSv1.3',
];

/**
 * The TLS parameters of a server as one program observed them. Facts that the program
 * does not test are omitted.
 */
export interface Surface {
  readonly versions: readonly Version[];
  /** IANA names; in the server's order if {@link order} is `server`. */
  readonly suites: Readonly<Partial<Record<Version, readonly string[]>>>;
  /** The side that chooses the suite. */
  readonly order?: Readonly<Partial<Record<Version, 'server' | 'client'>>>;
  /** IANA names. */
  readonly groups?: readonly string[];
  /** Kinds of key: `RSA`, `EC`. */
  readonly keys: readonly string[];
  /** SHA-256 of the server certificates, upper-case hex. */
  readonly fingerprints?: readonly string[];
}

/** Returns the surface that Hermetic observed. */
export function surfaceOf(result: CheckResult, evidence: Evidence): Surface {
  const address = result.hosts[0]?.addresses[0];
  const tls = address?.tls;
  const accepted = versions.filter((version) => tls?.versions[version] === 'accepted');
  const leaves = (evidence.hosts[0]?.addresses[0]?.connections ?? []).flatMap(
    (c) => (c.handshake ?? c.presented)?.chain[0] ?? [],
  );
  return {
    versions: accepted,
    suites: Object.fromEntries(
      accepted.map((v) => [
        v,
        (tls?.suites ?? []).filter((s) => s.version === v).map((s) => s.name),
      ]),
    ),
    order: tls?.order ?? {},
    groups: tls?.groups ?? [],
    keys: [
      ...new Set(
        (address?.certificates ?? []).map((c) => (c.keyAlgorithm.startsWith('RSA') ? 'RSA' : 'EC')),
      ),
    ],
    fingerprints: [...new Set(leaves.map((base64) => sha256(Buffer.from(base64, 'base64'))))],
  };
}

function sha256(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex').toUpperCase();
}

/**
 * Returns one line for each difference between two programs:
 * `TLSv1.2 suites: only PEER TLS_X, TLS_Y`.
 */
export function differences(ours: Surface, theirs: Surface): readonly string[] {
  const lines: string[] = [];
  const compare = (what: string, a: readonly string[], b: readonly string[]): void => {
    const [mine, other] = [
      a.filter((x) => !b.includes(x)).sort(),
      b.filter((x) => !a.includes(x)).sort(),
    ];
    if (mine.length > 0) lines.push(`${what}: only here ${mine.join(' ')}`);
    if (other.length > 0) lines.push(`${what}: only there ${other.join(' ')}`);
  };
  compare('versions', ours.versions, theirs.versions);
  for (const version of versions) {
    const [a, b] = [ours.suites[version] ?? [], theirs.suites[version] ?? []];
    compare(`${version} suites`, a, b);
    const [mine, other] = [ours.order?.[version], theirs.order?.[version]];
    if (mine !== undefined && other !== undefined && mine !== other)
      lines.push(`${version} order: here ${mine}, there ${other}`);
    const common = a.filter((suite) => b.includes(suite));
    if (
      mine === 'server' &&
      other === 'server' &&
      common.join() !== b.filter((suite) => a.includes(suite)).join()
    )
      lines.push(`${version} order: here ${common.join(' ')}, there ${b.join(' ')}`);
  }
  if (theirs.groups) compare('groups', ours.groups ?? [], theirs.groups);
  compare('keys', ours.keys, theirs.keys);
  if (theirs.fingerprints) compare('certificates', ours.fingerprints ?? [], theirs.fingerprints);
  return lines;
}
