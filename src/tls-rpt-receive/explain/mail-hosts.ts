import { groupBy } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { matchMx } from '../../mta-sts/index.js';
import type { Store } from '../../store/index.js';
import { byTurns, firstByTurns } from './by-turns.js';
import { patternsOf } from './quoted.js';
import type { Steps } from './steps.js';

/** The domain and the days of the reports that name hosts. */
interface HostSpan {
  readonly domain: string;
  readonly from: number;
  readonly to: number;
}

/** Hosts that one quoted policy adds. */
const MAX_HOSTS_OF_POLICY = 10;
/** Quoted policies of one day, and hosts that the reports of one day name. */
const MAX_NAMED = 200;
/** Patterns that each base domain is compared with. */
const MAX_PATTERNS = 500;
/** Hosts of one kind that are returned. */
const MAX_HOSTS = 50;

/** A host, or a pattern of hosts, that a reporter names. */
interface NamedHost {
  readonly reporter: string;
  readonly host: string;
}

/**
 * The mail hosts of a domain, at most `most`: those that a check found, then those that
 * authenticated reports name, of each reporter in turn. A report names hosts as patterns
 * of the MTA-STS policy, and as TLSA base domains in addition to the domain.
 */
export function* mailHosts(
  stateStore: Store,
  hostSpan: HostSpan,
  checks: readonly CheckResult[],
  most: number,
): Steps<ReadonlySet<string>> {
  // Reports that name no domain have no hosts of their own.
  if (hostSpan.domain === '') return new Set();
  const checked = new Set(checks.flatMap((check) => check.hosts.map(({ name }) => name)));
  const quoted = yield* quotedPatterns(stateStore, hostSpan);
  const based = yield* baseDomains(stateStore, hostSpan, quoted);
  const named = [...quoted.filter(({ host }) => !host.startsWith('*')), ...based];
  const reported = firstByTurns(
    [...groupBy(named, ({ host }) => host)].filter(([host]) => !checked.has(host)),
    Math.max(0, most - checked.size),
    ([, same]) => same.map(({ reporter }) => reporter),
  );
  const all = [
    ...checked,
    ...reported.map(([host]) => host),
    ...failingHosts(stateStore, hostSpan),
  ];
  return new Set([...new Set(all)].slice(0, most));
}

/** The patterns of the policies that reporters quote, in steps of one day. */
function* quotedPatterns(
  stateStore: Store,
  { domain, from, to }: HostSpan,
): Steps<readonly NamedHost[]> {
  const quoted = stateStore.prepare<{ reporter: string; text: string }>(
    byTurns(
      `SELECT DISTINCT p.reporter, p.text AS id, t.text
       FROM report_policy AS p JOIN report_text AS t ON t.id = p.text
       WHERE p.domain = ? AND p.day = ? AND p.authenticated = 1 AND p.type = 'sts'`,
      'id',
      MAX_NAMED,
    ),
  );
  const named: NamedHost[] = [];
  for (let day = from; day <= to; day++) {
    for (const { reporter, text } of quoted.all(domain, day)) {
      const patterns = patternsOf({ strings: JSON.parse(text) as string[] });
      named.push(...patterns.slice(0, MAX_HOSTS_OF_POLICY).map((host) => ({ reporter, host })));
    }
    yield;
  }
  return named;
}

/** The TLSA base domains in reports about the domain, in steps of one day. */
function* baseDomains(
  stateStore: Store,
  { domain, from, to }: HostSpan,
  quoted: readonly NamedHost[],
): Steps<readonly NamedHost[]> {
  // `free`: no other recipient domain of the report claims the host. A domain claims the
  // hosts below it, and those that its policy names.
  const reported = stateStore.prepare<NamedHost & { free: number }>(
    byTurns(
      `SELECT own.reporter, p.domain AS host, max(NOT EXISTS (
         SELECT 1 FROM report_policy AS o LEFT JOIN report_text AS t ON t.id = o.text
         WHERE o.id BETWEEN own.report * 1000000 AND own.report * 1000000 + 999999
           AND o.type <> 'tlsa' AND o.domain NOT IN (own.domain, '', p.domain)
           AND (substr(p.domain, -length(o.domain) - 1) = '.' || o.domain
             OR instr(lower(t.text), p.domain) > 0
             OR instr(lower(t.text), '*' || substr(p.domain, instr(p.domain, '.'))) > 0))) AS free
       FROM (SELECT DISTINCT report, domain, reporter FROM report_policy
             WHERE domain = ? AND day = ? AND authenticated = 1 AND type <> 'tlsa') AS own
         JOIN report_policy AS p
           ON p.id BETWEEN own.report * 1000000 AND own.report * 1000000 + 999999
       WHERE p.type = 'tlsa' AND p.domain NOT IN (own.domain, '') GROUP BY own.reporter, p.domain`,
      'host',
      MAX_NAMED,
    ),
  );
  const patterns = firstByTurns(
    [...groupBy(quoted, ({ host }) => host)],
    MAX_PATTERNS,
    ([, same]) => same.map(({ reporter }) => reporter),
  ).map(([pattern]) => pattern);
  const based: NamedHost[] = [];
  for (let day = from; day <= to; day++) {
    for (const { reporter, host, free } of reported.all(domain, day))
      if (free === 1 || patterns.some((pattern) => matchMx(pattern, host)))
        based.push({ reporter, host });
    yield;
  }
  return based;
}

/**
 * Hosts below the domain that fail under DANE and are not recipient domains themselves:
 * some reporters send a separate report for each TLSA base domain.
 */
function failingHosts(stateStore: Store, { domain, from, to }: HostSpan): readonly string[] {
  if (domain === '') return [];
  return stateStore
    .prepare<{ host: string }>(
      `SELECT DISTINCT domain AS host FROM report_day AS d
       WHERE failed > 0 AND day BETWEEN ? AND ? AND authenticated = 1 AND type = 'tlsa'
         AND substr(domain, -length(?)) = ? AND NOT EXISTS (
           SELECT 1 FROM report_day AS o WHERE o.domain = d.domain AND o.day BETWEEN ? AND ?
             AND o.type <> 'tlsa' AND o.authenticated = 1) LIMIT ${MAX_HOSTS}`,
    )
    .all(from, to, `.${domain}`, `.${domain}`, from, to)
    .map(({ host }) => host);
}
