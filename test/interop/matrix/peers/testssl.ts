import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupTable, suiteName } from '../../../../src/tls/index.js';
import { versions, type Surface, type Version } from '../surface.js';
import { timed, type Peer } from './peer.js';

/**
 * testssl.sh, only with the compared tests: versions, suites of each, order, groups,
 * certificates.
 */
export const testssl: Peer = {
  name: 'testssl.sh',
  async look({ domain, ip }) {
    const folder = mkdtempSync(join(tmpdir(), 'hermetic-testssl-'));
    const file = join(folder, 'out.json');
    try {
      const quiet = ['--quiet', '--warnings', 'off', '--color', '0', '--nodns', 'none'];
      const wanted = [
        '--protocols',
        '--cipher-per-proto',
        '--server-preference',
        '--pfs',
        '--server-defaults',
      ];
      const { out, ...cost } = await timed('testssl', [
        '-t',
        'smtp',
        ...quiet,
        '--ip',
        ip,
        '--jsonfile',
        file,
        ...wanted,
        `${domain}:25`,
      ]);
      try {
        return { ...cost, surface: readTestssl(readFileSync(file, 'utf8')) };
      } catch (cause) {
        throw new Error(`testssl.sh: ${out}`, { cause });
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const protocolIds: Readonly<Record<Version, string>> = {
  SSLv2: 'SSLv2',
  SSLv3: 'SSLv3',
  TLSv1: 'TLS1',
  'TLSv1.1': 'TLS1_1',
  'TLSv1.2': 'TLS1_2',
  'TLSv1.3': 'TLS1_3',
};
const curves: Readonly<Record<string, string>> = {
  prime256v1: 'secp256r1',
  X25519: 'x25519',
  X448: 'x448',
};

function readTestssl(json: string): Surface {
  const entries = JSON.parse(json) as { id: string; finding: string }[];
  const find = (id: string): string => entries.find((entry) => entry.id === id)?.finding ?? '';
  const offered = versions.filter((v) => /^offered/.test(find(protocolIds[v])));
  // `TLS 1.2 xc030 ECDHE-RSA-AES256-GCM-SHA384 ...`: the code point, then OpenSSL's name.
  const ciphers = entries.flatMap(({ id, finding }) => {
    const [, version, code] = /^cipher-(\w+?)_(x[0-9a-f]{2,4})$/.exec(id) ?? [];
    return version && code
      ? [{ version, code, opensslName: finding.split(code)[1]?.trim().split(/\s+/)[0] ?? '' }]
      : [];
  });
  const nameOf = (code: string): string => suiteName(parseInt(code.slice(1), 16));
  const suites = (v: Version): string[] => {
    const own = ciphers.filter(({ version }) => version === protocolIds[v].toLowerCase());
    const inOrder = find(
      `cipherorder_${v === 'TLSv1' || v === 'SSLv3' || v === 'SSLv2' ? v : v.replace('.', '_')}`,
    ).split(/\s+/);
    const place = (opensslName: string): number => inOrder.indexOf(opensslName) + 1 || 1000;
    return own
      .sort((a, b) => place(a.opensslName) - place(b.opensslName))
      .map(({ code }) => nameOf(code));
  };
  const ordered = (v: Version): boolean => find(`cipherorder_${v.replace('.', '_')}`) !== '';
  const groups = `${find('PFS_ECDHE_curves')} ${find('DH_groups')}`
    .split(/[\s()]+/)
    .map((name) => curves[name] ?? name);
  return {
    versions: offered,
    suites: Object.fromEntries(offered.map((v) => [v, suites(v)])),
    order: Object.fromEntries(offered.map((v) => [v, ordered(v) ? 'server' : 'client'])),
    groups: groups.filter((name) => groupTable.some((group) => group.name === name)),
    keys: [
      ...new Set(
        entries
          .filter(({ id }) => /^cert_keySize/.test(id))
          .map(({ finding }) => finding.split(' ')[0] ?? ''),
      ),
    ],
    fingerprints: entries
      .filter(({ id }) => /^cert_fingerprintSHA256/.test(id))
      .map(({ finding }) => finding),
  };
}
