import { createCa, issue } from '../../src/pki/index.js';
import type {
  DomainGrade,
  DomainObservation,
  HostObservation,
  VisitObservation,
} from '../../src/scan/index.js';

const root = createCa({ name: 'Scan Root' });
const observedAt = '2026-11-30T00:00:00Z';

/** A server with one certificate for all its names, as DER in base64. */
export interface TestServer {
  readonly names: readonly string[];
  readonly chain: readonly string[];
}

/** Issues the certificate of a server. `notAfter`: milliseconds since 1970. */
export function testServer(names: readonly string[], notAfter?: number): TestServer {
  const { der } = issue(root, {
    names,
    notBefore: Date.parse('2026-09-01T00:00:00Z'),
    notAfter: notAfter ?? Date.parse('2027-09-01T00:00:00Z'),
  });
  return { names, chain: [Buffer.from(der).toString('base64')] };
}

/** Returns a visit that completed TLS 1.3 with the server. */
export function testVisit(host: string, { chain }: TestServer, ip = '192.0.2.1'): VisitObservation {
  return {
    host,
    serverName: host,
    observedAt,
    address: {
      ip,
      status: 'reachable',
      connections: [
        {
          purpose: 'handshake',
          at: 0,
          milliseconds: 1,
          dial: 'open',
          greeting: { code: 220, lines: ['mx ESMTP'] },
          ehlo: { code: 250, lines: ['mx', 'STARTTLS'] },
          starttls: 'offered',
          handshake: {
            version: 'TLSv1.3',
            suite: 'TLS_AES_256_GCM_SHA384',
            sni: host,
            chain,
            pkix: { chain: 'trusted', validity: 'valid', problems: [] },
          },
          ehloAfterTls: { code: 250, lines: ['mx'] },
          transcript: [],
        },
      ],
    },
  };
}

/** Returns the DNS facts of a host in an unsigned zone, without TLSA records. */
export function testHost(name: string, addresses: readonly string[]): HostObservation {
  return {
    name,
    observedAt,
    dnssec: 'insecure',
    addressLookup: { status: 'found' },
    tlsa: { status: 'absent', base: name, dnssec: 'insecure', records: [] },
    addresses,
    skipped: [],
    serverName: name,
  };
}

/** Returns the DNS facts of an unsigned domain without policies. */
export function testDomain(domain: string, hosts: readonly string[]): DomainObservation {
  const txt = { texts: [], lookup: 'absent', dnssec: 'insecure' } as const;
  return {
    domain,
    observedAt,
    route: { kind: 'mx', dnssec: 'insecure', status: 'found' },
    mx: hosts.map((name, index) => ({ name, preference: 10 * (index + 1) })),
    stsRecord: txt,
    tlsRpt: { txt, status: 'absent', rua: [], problems: [] },
  };
}

/**
 * Returns a grade with other measures, classes and verdict, and the shape computed from
 * them.
 */
export function gradeWith(
  base: DomainGrade,
  {
    measures,
    ...other
  }: { readonly measures?: Partial<DomainGrade['measures']> } & Partial<
    Omit<DomainGrade, 'measures'>
  >,
): DomainGrade {
  const row = { ...base, ...other, measures: { ...base.measures, ...measures } };
  return { ...row, shape: JSON.stringify([row.verdict, row.classes, row.measures]) };
}
