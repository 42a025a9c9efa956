import { cpuUsage } from 'node:process';
import { DomainGrader, gradeDomain, type ScannedDomain } from '../src/scan/index.js';
import { testDomain, testHost, testServer, testVisit } from '../test/support/scan-observations.js';
import { writeResults } from './results-file.js';

/**
 * Limits: microseconds of CPU for a domain with a cached shape, and for a domain with a
 * separate host name at a known server.
 */
const LIMITS = { known: 30, own: 400 };
const DOMAINS = 50_000;
const OWN = 3000;
const GRADED = 1000;

/**
 * `npm run bench -- grades [--write]`: measures the CPU time of grading in a scan.
 * Compares a domain with shared hosts with a domain that is graded separately.
 */
export function bench(args: readonly string[]): void {
  const server = testServer(['*.provider.test', 'mx.provider.test']);
  const at = '2026-12-01T00:00:00Z';
  const hosts = ['mx1.provider.test', 'mx2.provider.test'].map((name, index) => {
    const ip = `192.0.2.${index + 1}`;
    return { host: testHost(name, [ip]), visits: [testVisit(name, server, ip)] };
  });
  const names = hosts.map(({ host }) => host.name);
  const shared = Array.from({ length: DOMAINS }, (_, index) => ({
    domain: testDomain(`d${index}.example`, names),
    hosts,
  }));
  const own = Array.from({ length: OWN }, (_, index) => ownHost(`d${index}.example`, server));
  const grader = new DomainGrader({ at });
  const full = cpuOf(own.slice(0, GRADED), (scanned) => gradeDomain(scanned, { at }));
  // The code parses certificates once for each visit, so these visits are separate.
  const fresh = cpuOf(
    Array.from({ length: OWN }, (_, index) => ownHost(`o${index}.example`, server)),
    (scanned) => grader.grade(scanned),
  );
  const known = cpuOf(shared, (scanned) => grader.grade(scanned));
  const lines = [
    '| domain | µs CPU | of a full grade |',
    '|---|---:|---:|',
    row('graded on its own', full, full),
    row('own host name at a known server', fresh, full),
    row('shared hosts, known shape', known, full),
  ];
  process.stdout.write(`${lines.join('\n')}\n${grader.graded} grades computed\n`);
  if (known > LIMITS.known || fresh > LIMITS.own)
    throw new Error(
      `limits: ${LIMITS.known} µs for a known shape, ${LIMITS.own} µs for an own host`,
    );
  if (args.includes('--write'))
    writeResults(
      'grades: CPU time of a grade in a scan',
      `\`npm run bench -- grades\`, ${DOMAINS} domains at two shared hosts and ${OWN} with hosts of their own.\n\n${lines.join('\n')}`,
    );
}

/**
 * Returns a domain with a separate name for its mail host, at a server with another
 * certificate.
 */
function ownHost(name: string, server: ReturnType<typeof testServer>): ScannedDomain {
  const host = `mail.${name}`;
  return {
    domain: testDomain(name, [host]),
    hosts: [
      { host: testHost(host, ['192.0.2.9']), visits: [testVisit(host, server, '192.0.2.9')] },
    ],
  };
}

/** Returns the microseconds of CPU time for each item. */
function cpuOf<T>(items: readonly T[], work: (item: T) => unknown): number {
  const before = cpuUsage();
  for (const item of items) work(item);
  const { user, system } = cpuUsage(before);
  return (user + system) / items.length;
}

function row(label: string, microseconds: number, full: number): string {
  return `| ${label} | ${microseconds.toFixed(1)} | ${((100 * microseconds) / full).toFixed(1)} % |`;
}
