import { groupBy } from './count-sessions.js';
import { isConnectionTrouble } from './reason-texts-registry.js';
import { distinct, NOT_DESCRIBED, plus, type ReportedFacts, type FailureRow } from './facts.js';

/** The share of one reporter in a failure. */
export interface Encounter {
  readonly reporter: string;
  readonly failed: number;
  readonly firstDay: number;
  readonly lastDay: number;
  readonly days: number;
}

/** Failures of one kind at one host, by every reporter that met them. */
export interface FailureGroup {
  readonly result: string;
  readonly type: string;
  /** Policy domain. */
  readonly domain: string;
  /**
   * The strictest mode that was applied: `enforce` before an unknown one before
   * `testing`.
   */
  readonly mode: string;
  /** MX host; empty where the failure has none (policy fetch), or none was reported. */
  readonly mx: string;
  readonly ips: readonly string[];
  readonly reporters: readonly string[];
  readonly encounters: readonly Encounter[];
  /** Networks (IPv4 /24, IPv6 /48) of the senders that met it, as far as reported. */
  readonly networks: readonly string[];
  readonly reasons: readonly string[];
  /** Every failure has a reason that says that the connection failed. */
  readonly lostConnections: boolean;
  readonly firstDay: number;
  readonly lastDay: number;
  /** Failed sessions; 0 where the reporters give no count. */
  readonly sessions: number;
  /**
   * The same without lost connections, where there are any: they widen the days and the
   * reporters of a fault that did not cause them.
   */
  readonly core?: FailureGroup;
}

const modes = ['enforce', '', 'testing', 'none'];

/** Genuine reports have far fewer. */
const MAX_GROUPS = 200;

/**
 * Groups failures by result, kind of policy and host, the most recent and largest first.
 */
export function groupFailures(facts: ReportedFacts): readonly FailureGroup[] {
  const groups = groupBy(
    facts.failures.map((row) => ({ ...row, mx: hostOf(row, facts) })),
    (row) => JSON.stringify([row.result, row.type, row.mx, row.domain]),
  );
  return [...groups.values()]
    .map((rows) => ({ rows, sessions: sum(rows), lastDay: latest(rows) }))
    .filter(({ rows, sessions }) => sessions > 0 || isPartOfFailure(rows, facts.failures))
    .sort((a, b) => b.lastDay - a.lastDay || b.sessions - a.sessions)
    .slice(0, MAX_GROUPS)
    .map(({ rows }): FailureGroup => {
      const described = rows.filter((row) => !isConnectionTrouble(row.reason));
      const group = groupOf(rows, facts);
      return described.length === 0 || described.length === rows.length
        ? group
        : { ...group, core: groupOf(described, facts) };
    });
}

/** The group of failures of one kind. */
function groupOf(rows: readonly FailureRow[], facts: ReportedFacts): FailureGroup {
  const [{ result, type, mx, domain }] = rows as [FailureRow];
  const met = facts.senders.filter((s) => s.result === result && s.mx === mx);
  const lastDay = latest(rows);
  return {
    result,
    type,
    domain,
    mode: modes.find((mode) => rows.some((r) => r.mode === mode)) ?? '',
    mx,
    ips: distinct(rows.map((r) => r.ip)),
    reporters: distinct(rows.map((r) => r.reporter)),
    encounters: encountersOf(rows),
    networks: distinct(met.map((s) => networkOf(s.ip))),
    reasons: distinct(rows.map((r) => r.reason)),
    lostConnections: rows.every((r) => isConnectionTrouble(r.reason)),
    firstDay: rows.reduce((day, r) => Math.min(day, r.firstDay), lastDay),
    lastDay,
    sessions: sum(rows),
  };
}

/**
 * With DANE the policy domain is the MX host (RFC 8460 §4.4), unless the reporter names
 * another.
 */
function hostOf({ mx, type, domain }: FailureRow, facts: ReportedFacts): string {
  return mx === '' && type === 'tlsa' && domain !== facts.domain ? domain : mx;
}

/**
 * A detail without a count describes a failure only where the summary counts failures
 * that no detail describes: RFC 8460 §4.4 makes the total the number of failed sessions.
 */
function isPartOfFailure(rows: readonly FailureRow[], all: readonly FailureRow[]): boolean {
  return rows.some((row) =>
    all.some(
      (other) =>
        other.result === NOT_DESCRIBED &&
        other.reporter === row.reporter &&
        other.domain === row.domain &&
        other.type === row.type &&
        other.firstDay <= row.lastDay &&
        other.lastDay >= row.firstDay,
    ),
  );
}

function encountersOf(rows: readonly FailureRow[]): readonly Encounter[] {
  return [...groupBy(rows, (row) => row.reporter)].map(([reporter, own]) => ({
    reporter,
    failed: sum(own),
    firstDay: Math.min(...own.map((r) => r.firstDay)),
    lastDay: latest(own),
    days: Math.max(...own.map((r) => r.days)),
  }));
}

function sum(rows: readonly FailureRow[]): number {
  return rows.reduce((n, r) => plus(n, r.failed), 0);
}

function latest(rows: readonly FailureRow[]): number {
  return rows.reduce((day, r) => Math.max(day, r.lastDay), 0);
}

function networkOf(ip: string): string {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ip)) return `${ip.slice(0, ip.lastIndexOf('.'))}.0/24`;
  return ip.includes(':') ? `${ip.split(':').slice(0, 3).join(':')}::/48` : ip;
}

/**
 * Whether a failure has not ended. It ends when every reporter that met it has since
 * reported sessions under the same policy that succeeded, and on that day no failure of
 * this kind and none without a description. A reporter without a later report proves
 * nothing.
 */
export function isOngoing(group: FailureGroup, { domain, sessions }: ReportedFacts): boolean {
  const comparable = sessions.filter(
    (s) => s.ok > 0 && s.undescribed === 0 && isSamePolicy(group, s, domain),
  );
  return group.encounters.some(
    ({ reporter, lastDay }) => !comparable.some((s) => s.reporter === reporter && s.day > lastDay),
  );
}

/**
 * Whether sessions were under the policy of a group. With DANE some reporters name the
 * recipient domain instead of the MX host; then the host is unknown. For a missing
 * STARTTLS any policy is comparable: a success under it is a TLS session.
 */
export function isSamePolicy(
  { result, type, domain }: FailureGroup,
  row: { readonly type: string; readonly domain: string },
  recipient: string,
): boolean {
  if (result === 'starttls-not-supported') return true;
  if (row.type !== type) return false;
  const unnamed = type === 'tlsa' && (row.domain === recipient || domain === recipient);
  return unnamed || row.domain === domain;
}
