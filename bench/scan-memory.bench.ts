import { keepHeapSmall } from '../src/base/index.js';
import { FactStore } from '../src/scan/engine/database/store-facts.js';
import { HostStore } from '../src/scan/engine/database/store-hosts.js';
import type { Queries } from '../src/scan/engine/database/database.js';
import { DomainGrader, operatorOf, StatisticsCollector } from '../src/scan/index.js';
import { testDomain, testHost, testServer, testVisit } from '../test/support/scan-observations.js';
import { writeResults } from './results-file.js';

const DOMAINS = 10_000_000;
/**
 * One domain in five has a separate host name; the others share the host names of
 * providers.
 */
const OWN_HOSTS = 5;
const PROVIDERS = 50_000;
/**
 * A grade costs a hundred times as much as the rest, so one domain in this many is
 * graded.
 */
const GRADED = 1000;
const SLICE = 500;
/**
 * One slice in this many updates the stores of facts, which are full after the first
 * million.
 */
const STORED = 50;
const LIMIT_MB = 400;

/**
 * `npm run bench -- scan-memory [DOMAINS] [--write]`: processes facts of ten million
 * domains in the memory of a worker: the known facts and hosts, the grades and the
 * statistics. The database is a counter. Prints the resident memory, and fails above 400
 * MB.
 */
export async function bench(args: readonly string[]): Promise<void> {
  keepHeapSmall();
  const given = args.find((argument) => /^\d+$/.test(argument));
  const domains = given === undefined ? DOMAINS : Number(given);
  const [facts, hosts] = [new FactStore(countingDatabase()), new HostStore(countingDatabase())];
  const grader = new DomainGrader({ at: '2026-12-01T00:00:00Z' });
  const statistics = new StatisticsCollector();
  const server = testServer(['*.provider.test']);
  const grade = grader.grade(ownHost('first.example', server));
  const started = performance.now();
  const sizes: number[] = [];
  for (let first = 0; first < domains; first += SLICE) {
    const slice = Array.from({ length: SLICE }, (_, index) => first + index);
    if ((first / SLICE) % STORED === 0) {
      await facts.save(slice.flatMap((n) => factsOf(n)));
      await hosts.save(slice.map(hostOf));
    }
    for (const n of slice) {
      const domain = `d${n}.example`;
      const isGraded = n % GRADED === 0;
      statistics.add({
        grade: isGraded ? grader.grade(ownHost(domain, server)) : grade,
        domain,
        hosts: [hostOf(n)],
        operators: [operatorOf(hostOf(n), domain)],
      });
    }
    if (first % (domains / 10) === 0) sizes.push(megabytes());
  }
  const counted = statistics.statistics()[0];
  const largest = Math.max(...sizes, megabytes());
  const seconds = (performance.now() - started) / 1000;
  const lines = [
    `${domains} domains, ${counted?.mailHosts.of} mail hosts, ${counted?.operators.of} operators, ${statistics.shapes} shapes.`,
    `Resident memory after each tenth, in MB: ${sizes.map((size) => size.toFixed(0)).join(', ')}.`,
    `The most, with the statistics at the end: ${largest.toFixed(0)} MB (at most ${LIMIT_MB}).`,
    `${seconds.toFixed(0)} seconds.`,
  ];
  console.log(lines.join('\n'));
  if (largest > LIMIT_MB) process.exitCode = 1;
  if (args.includes('--write'))
    writeResults(
      'scan-memory: memory of a worker at ten million domains',
      ['`npm run bench -- scan-memory`, without network and PostgreSQL.', ...lines].join('\n\n'),
    );
}

/**
 * Returns the numbers new rows. It stores no rows, so every evicted fact counts as new.
 */
function countingDatabase(): Queries {
  let rows = 0;
  return {
    query: (text, [given] = []) => {
      const names = given as readonly string[];
      const isInsert = text.includes('hermetic_scan.host (name');
      const found = isInsert ? [] : names.map((name) => ({ id: ++rows, digest: name, name }));
      return Promise.resolve(found as never[]);
    },
  };
}

function hostOf(n: number): string {
  // A few providers host most domains.
  const provider = Math.floor(PROVIDERS ** (((n * 7919) % 10_007) / 10_007));
  return n % OWN_HOSTS === 0 ? `mail.d${n}.example` : `mx.prov${provider}.test`;
}

function factsOf(n: number): readonly Readonly<Record<string, unknown>>[] {
  const mx = [{ name: hostOf(n), preference: 10 }];
  const domain = { mx, route: { dnssec: 'insecure', kind: 'mx' }, sts: n % 50 === 0 ? `${n}` : '' };
  if (n % OWN_HOSTS > 0) return [domain];
  return [domain, { name: hostOf(n), addresses: [`192.0.2.${n % 256}`] }];
}

function ownHost(name: string, server: ReturnType<typeof testServer>): Graded {
  const host = `mail.${name}`;
  const visits = [testVisit(host, server, '192.0.2.9')];
  return {
    domain: testDomain(name, [host]),
    hosts: [{ host: testHost(host, ['192.0.2.9']), visits }],
  };
}

type Graded = Parameters<DomainGrader['grade']>[0];

function megabytes(): number {
  return process.memoryUsage().rss / 1e6;
}
