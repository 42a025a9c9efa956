import { groupBy } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';
import { firstByTurns } from './by-turns.js';
import { patternsOf } from './quoted.js';
import { compareTexts, firstOfReporters, rowDays } from './row-pages.js';
import type { Steps } from './steps.js';

/** The domain, and the first and last day of the reports that name hosts. */
interface HostSpan {
  readonly domain: string;
  readonly from: number;
  readonly to: number;
}

/** Maximum number of hosts that one quoted policy adds. */
const MAX_HOSTS_OF_POLICY = 10;
/** Maximum number of quoted policies, and of named hosts, that are read for one day. */
const MAX_NAMED = 200;
/** Maximum number of hosts that are added because they fail under DANE. */
const MAX_HOSTS = 50;

/** A host or pattern that a reporter names. */
interface NamedHost {
  readonly reporter: string;
  readonly host: string;
}

/**
 * Returns the mail hosts of a domain, at most `most`: first the hosts that a check found,
 * then the hosts that authenticated reports name, from each reporter in turn. A report
 * names hosts in the patterns of an MTA-STS policy, and as the policy domains of its
 * `tlsa` policies.
 */
export function* mailHosts(
  stateStore: Store,
  hostSpan: HostSpan,
  checks: readonly CheckResult[],
  most: number,
): Steps<ReadonlySet<string>> {
  // Reports that name no domain have no mail hosts.
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

/** Returns the patterns of the policies that reporters quote, in steps of one page. */
function* quotedPatterns(stateStore: Store, span: HostSpan): Steps<readonly NamedHost[]> {
  const textOf = stateStore.prepare<{ text: string }>('SELECT text FROM report_text WHERE id = ?');
  const named: NamedHost[] = [];
  for (const { pages } of [...rowDays(stateStore, 'report_policy', span)].reverse()) {
    const quotes = new Map<string, { readonly reporter: string; readonly text: number }>();
    for (const { rows } of pages()) {
      for (const quote of rows<{ reporter: string; text: number }>(
        "SELECT DISTINCT reporter, text FROM $PAGE AND type = 'sts' AND text > 0",
      ))
        quotes.set(`${quote.text} ${quote.reporter}`, quote);
      yield;
    }
    const first = yield* firstOfReporters(
      quotes.values(),
      MAX_NAMED,
      (left, right) => left.text - right.text || compareTexts(left.reporter, right.reporter),
    );
    for (const { reporter, text } of first) {
      const strings = JSON.parse(textOf.get(text)?.text ?? '[]') as string[];
      const patterns = patternsOf({ strings }).slice(0, MAX_HOSTS_OF_POLICY);
      named.push(...patterns.map((host) => ({ reporter, host })));
    }
    yield;
  }
  return named;
}

/**
 * Returns the TLSA base domains in reports about the domain, in steps of one report: a
 * single report may have many policies.
 */
function* baseDomains(
  stateStore: Store,
  span: HostSpan,
  quoted: readonly NamedHost[],
): Steps<readonly NamedHost[]> {
  const { domain } = span;
  const hostsIn = stateStore.prepare<{ host: string }>(
    `SELECT DISTINCT domain AS host FROM report_policy
     WHERE id BETWEEN ? AND ? AND type = 'tlsa' AND domain NOT IN (?, '') ORDER BY domain`,
  );
  const claimed = claimsOf(stateStore, domain);
  const patterns = new Set(quoted.map(({ host }) => host));
  const based: NamedHost[] = [];
  for (const { pages } of [...rowDays(stateStore, 'report_policy', span)].reverse()) {
    const reports = new Map<number, string>();
    for (const { rows } of pages()) {
      for (const { report, reporter } of rows<{ report: number; reporter: string }>(
        "SELECT DISTINCT report, reporter FROM $PAGE AND type <> 'tlsa'",
      ))
        reports.set(report, reporter);
      yield;
    }
    const named = new Map<string, Set<string>>();
    for (const [report, reporter] of reports) {
      const known = named.get(reporter) ?? new Set<string>();
      named.set(reporter, known);
      if (known.size >= MAX_NAMED) continue;
      const hosts = hostsIn.all(...rowsOf(report), domain);
      const isClaimed = hosts.length > 0 ? claimed(report) : undefined;
      for (const { host } of hosts)
        if (patternsFor(host).some((one) => patterns.has(one)) || isClaimed?.(host) === false)
          known.add(host);
      yield;
    }
    const ofDay = [...named].flatMap(([reporter, hosts]) =>
      [...hosts].sort().map((host) => ({ reporter, host })),
    );
    based.push(...firstByTurns(ofDay, MAX_NAMED, ({ reporter }) => [reporter]));
    yield;
  }
  return based;
}

/**
 * Returns a function that tests whether a host belongs to another recipient domain of the
 * same report: the host is below that domain, or that domain's policy names it.
 */
function claimsOf(
  stateStore: Store,
  domain: string,
): (report: number) => (host: string) => boolean {
  const others = stateStore.prepare<{ other: string; text: string | null }>(
    `SELECT o.other, t.text FROM (
       SELECT DISTINCT domain AS other, text FROM report_policy
       WHERE id BETWEEN ? AND ? AND type <> 'tlsa' AND domain NOT IN (?, '')
     ) AS o LEFT JOIN report_text AS t ON t.id = o.text`,
  );
  return (report) => {
    const claims = others.all(...rowsOf(report), domain).map(({ other, text }) => ({
      other,
      patterns: patternsOf({ strings: JSON.parse(text ?? '[]') as string[] }),
    }));
    const domains = new Set(claims.map(({ other }) => other));
    const claimants = new Map<string, Set<string>>();
    for (const { other, patterns } of claims)
      for (const pattern of patterns)
        claimants.set(pattern, (claimants.get(pattern) ?? new Set()).add(other));
    return (host) =>
      domainsAbove(host).some((name) => domains.has(name)) ||
      patternsFor(host).some((pattern) =>
        [...(claimants.get(pattern) ?? [])].some((other) => other !== host),
      );
  };
}

/** Returns the two MX patterns that match a host (RFC 8461 §4.1). */
function patternsFor(host: string): readonly string[] {
  return [host, `*.${host.slice(host.indexOf('.') + 1)}`];
}

function domainsAbove(host: string): readonly string[] {
  const labels = host.split('.');
  return labels.slice(1).map((_, n) => labels.slice(n + 1).join('.'));
}

/** Returns the lowest and highest row number that the policies of a report can have. */
function rowsOf(report: number): readonly [number, number] {
  return [report * 1_000_000, report * 1_000_000 + 999_999];
}

/**
 * Returns the hosts below the domain that fail under DANE and are not recipient domains
 * themselves: some reporters send a separate report for each TLSA base domain.
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
