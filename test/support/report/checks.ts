import { checkResultSchema, type CheckResult, type Finding } from '../../../src/evidence/index.js';

/** The result of a check in a test. All other facts describe a domain without faults. */
export interface TestCheck {
  readonly date: string;
  readonly domain?: string;
  readonly hosts?: readonly string[];
  readonly mode?: 'enforce' | 'testing';
  /** Patterns of the published policy; default: the hosts. */
  readonly mx?: readonly string[];
  /** The id of a finding, and its subject. */
  readonly findings?: readonly (readonly [id: string, subject: string])[];
  /** Addresses of every host. Default: one for each host. */
  readonly addresses?: readonly string[];
  /** Addresses of each host that could not be reached. */
  readonly unreachable?: readonly string[];
}

const versions = Object.fromEntries(
  ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'].map((v) => [v, 'unknown']),
);

const finding = (id: string, subject: string): Finding => ({
  id,
  severity: 'fail',
  subject,
  title: `Found ${id}`,
  why: '',
  reference: '',
  owner: 'domain',
  fix: `Fix ${id}.`,
  steps: [{ kind: 'config', text: 'The step of the check.' }],
});

/** Returns a result of `hermetic check` at noon of a day. */
export function testCheck({
  date,
  domain = 'rcpt.example',
  hosts = ['mx1.rcpt.example'],
  mode = 'enforce',
  mx = hosts,
  findings = [],
  addresses,
  unreachable = [],
}: TestCheck): CheckResult {
  const outcome = { none: 'verified', stripStarttls: 'deferred', swapCertificate: 'deferred' };
  const row = { ...outcome, spoofMx: 'deferred', suppress: 'deferred' };
  const address = (ip: string): object => ({
    ip,
    status: unreachable.includes(ip) ? 'unreachable' : 'reachable',
    connections: 1,
    starttls: unreachable.includes(ip) ? 'unknown' : 'offered',
    tls: { versions, suites: [], order: {}, groups: [] },
    certificates: [
      {
        keyAlgorithm: 'ECDSA',
        keyBits: 256,
        signature: 'ecdsa-with-SHA256',
        names: hosts,
        notBefore: '2026-01-01T00:00:00Z',
        notAfter: '2027-12-31T00:00:00Z',
        sni: '',
        chainAsSent: [],
        chain: 'trusted',
        validity: 'valid',
        nameMatch: 'match',
        dane: 'match',
        spkiSha256: 'ab'.repeat(32),
      },
    ],
  });
  return checkResultSchema.parse({
    schema: 'hermetic.check/1',
    domain,
    checkedAt: `${date}T12:00:00Z`,
    profile: 'baseline',
    depth: 'verdict',
    verdict: findings.length > 0 ? 'fail' : 'pass',
    exposure: {
      opportunistic: row,
      mtaStsFirst: row,
      mtaStsCached: row,
      dane: row,
      bothFirst: row,
      bothCached: row,
    },
    route: { kind: 'mx', dnssec: 'secure' },
    hosts: hosts.map((name, i) => ({
      name,
      preference: 10,
      dnssec: 'secure',
      mtaStsMatch: 'match',
      tlsa: { status: 'usable', records: [`3 1 1 ${'ab'.repeat(32)}`] },
      addresses: (addresses ?? [`198.51.100.${i + 1}`]).map(address),
    })),
    mtaSts: {
      status: 'found',
      id: date.replaceAll('-', ''),
      mode,
      maxAge: 604800,
      mx,
      problems: [],
    },
    tlsRpt: { status: 'found', rua: ['mailto:tlsrpt@rcpt.example'], problems: [] },
    findings: findings.map(([id, subject]) => finding(id, subject)),
    notLookedAt: [],
    connections: 1,
  });
}
