import { grade } from '../../src/check/index.js';
import type { CheckResult, Finding, MailCertificate } from '../../src/evidence/index.js';
import { plantedEvidence, plantedHost, plantedPolicy } from './check/planted-evidence.js';

/** A change to a result without faults: one fault as the watch observes it. */
export type Plant = (result: CheckResult) => CheckResult;

/**
 * Returns a domain with STARTTLS, DANE, an enforced policy and TLS-RPT, without a fault.
 */
export function healthyResult(domain: string): CheckResult {
  const graded = grade(
    plantedEvidence({ hosts: [plantedHost()], mtaSts: plantedPolicy('enforce') }),
  );
  const [host] = graded.hosts;
  if (!host) throw new Error('no host');
  return {
    ...graded,
    domain,
    verdict: 'pass',
    findings: [],
    notLookedAt: [],
    signatures: [{ zone: domain, rrset: `${domain} MX`, notAfter: '2027-01-15T00:00:00Z' }],
    route: { kind: 'mx', dnssec: 'secure' },
    hosts: [
      {
        ...host,
        name: `mx.${domain}`,
        tlsa: { ...host.tlsa, status: 'usable', records: [`3 1 1 ${'ab'.repeat(32)}`] },
        addresses: ['192.0.2.25', '2001:db8::25'].map((ip) => {
          const [address] = host.addresses;
          if (!address) throw new Error('no address');
          const certificates = [certificateOf(`mx.${domain}`)];
          return { ...address, ip, status: 'reachable' as const, certificates };
        }),
      },
    ],
    tlsRpt: { status: 'found', rua: [`mailto:tls@${domain}`], problems: [] },
  };
}

/** Returns a valid certificate. */
function certificateOf(host: string): MailCertificate {
  return {
    keyAlgorithm: 'ecdsa',
    keyBits: 256,
    signature: 'ecdsa-sha256',
    names: [host],
    notBefore: '2026-11-01T00:00:00Z',
    notAfter: '2027-02-01T00:00:00Z',
    sni: host,
    chainAsSent: [`CN=${host}`],
    chain: 'trusted',
    validity: 'valid',
    nameMatch: 'match',
    dane: 'match',
    spkiSha256: 'ab'.repeat(32),
  };
}

/**
 * Returns a fault: a finding at every address of the host, as a real fault of a server
 * produces.
 */
export const atHost =
  (
    id: string,
    severity: Finding['severity'] = 'fail',
    topic: Finding['topic'] = 'starttls',
  ): Plant =>
  (result) => {
    const [host] = result.hosts;
    const subjects = host?.addresses.map(({ ip }) => `${host.name} [${ip}]`) ?? [];
    return raised(
      result,
      subjects.map((subject) => finding(id, severity, topic, subject)),
    );
  };

/** Returns a fault: a finding on the domain. */
export const atDomain =
  (id: string, severity: Finding['severity'] = 'fail', topic: Finding['topic'] = 'mx'): Plant =>
  (result) =>
    raised(result, [finding(id, severity, topic, result.domain)]);

/** Returns several changes as one. */
export const allOf =
  (...plants: readonly Plant[]): Plant =>
  (result) =>
    plants.reduce((changed, plant) => plant(changed), result);

/** Returns a change of the policy to another mode, or to none. */
export const policyMode =
  (mode: 'testing' | 'none' | undefined): Plant =>
  (result) => ({
    ...result,
    mtaSts: { ...result.mtaSts, mode, status: mode === undefined ? 'absent' : 'found' },
  });

/**
 * Returns a change to an inconclusive check; with `own`, the cause is on this machine.
 */
export const hidden =
  (own = false): Plant =>
  (result) => ({
    ...raised(result, own ? [finding('resolver-no-dnssec', 'warn', 'network', result.domain)] : []),
    verdict: 'inconclusive',
    route: { kind: 'error', dnssec: 'indeterminate' },
    hosts: [],
  });

function raised(result: CheckResult, findings: readonly Finding[]): CheckResult {
  const all = [...result.findings, ...findings];
  const verdict = all.some(({ severity }) => severity === 'fail') ? 'fail' : 'warn';
  return { ...result, findings: all, verdict: all.length === 0 ? result.verdict : verdict };
}

function finding(
  id: string,
  severity: Finding['severity'],
  topic: Finding['topic'],
  subject: string,
): Finding {
  return {
    id,
    topic,
    severity,
    subject,
    title: `Title of ${id}`,
    why: `Reason of ${id}.`,
    reference: 'RFC 3207 §4',
    owner: 'mail-host',
    fix: `Fix ${id}.`,
    steps: [{ kind: 'config', text: `First step of ${id}` }],
  };
}

/** Removes the TLSA records of all hosts. */
export const noTlsa: Plant = (result) => ({
  ...result,
  hosts: result.hosts.map((host) => ({
    ...host,
    tlsa: { ...host.tlsa, status: 'absent', records: [] },
  })),
});

/** Makes the zone of the domain unsigned. */
export const unsigned: Plant = (result) => ({
  ...result,
  route: { kind: 'mx', dnssec: 'insecure' },
});
