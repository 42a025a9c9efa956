import { groupBy } from '../../base/index.js';
import { firstByTurns } from './by-turns.js';
import { distinct, NOT_DESCRIBED, plus, type ReportedFacts, type FailureFact } from './facts.js';

/** The failures of a group that one reporter observed. */
export interface Encounter {
  readonly reporter: string;
  readonly failed: number;
  readonly firstDay: number;
  readonly lastDay: number;
  readonly days: number;
}

/** Failures of one kind at one host, from all reporters that observed them. */
export interface FailureGroup {
  readonly result: string;
  readonly type: string;
  /** The policy domain. */
  readonly domain: string;
  /**
   * The strictest policy mode that a reporter applied: `enforce`, then an unknown mode,
   * `testing`, `none`.
   */
  readonly mode: string;
  /** The MX host; empty for a failed policy fetch, or if the reports name no host. */
  readonly mx: string;
  readonly ips: readonly string[];
  readonly reporters: readonly string[];
  readonly encounters: readonly Encounter[];
  /**
   * The networks (IPv4 /24, IPv6 /48) of the senders that observed the failure, if
   * reported.
   */
  readonly networks: readonly string[];
  readonly reasons: readonly string[];
  /** True if the reason of every failure is a failed connection. */
  readonly lostConnections: boolean;
  readonly firstDay: number;
  readonly lastDay: number;
  /** Number of failed sessions; 0 if the reporters give no count. */
  readonly sessions: number;
  /**
   * The same group without lost connections; undefined if it contains none. Lost
   * connections would add days and reporters that the fault did not affect.
   */
  readonly core?: FailureGroup;
}

const modes = ['enforce', '', 'testing', 'none'];

/** Maximum number of groups: genuine reports produce far fewer. */
const MAX_GROUPS = 200;

/**
 * Groups failures by result, policy type, host and policy domain, the most recent and
 * largest groups first.
 */
export function groupFailures(reportedFacts: ReportedFacts): readonly FailureGroup[] {
  const groups = groupBy(
    reportedFacts.failures.map((failureRow) => ({
      ...failureRow,
      mx: hostOf(failureRow, reportedFacts),
    })),
    (row) => JSON.stringify([row.result, row.type, row.mx, row.domain]),
  );
  const undescribed = groupBy(
    reportedFacts.failures.filter(({ result }) => result === NOT_DESCRIBED),
    policyKey,
  );
  const sorted = [...groups.values()]
    .map((rows) => ({ rows, sessions: sum(rows), lastDay: latest(rows) }))
    .filter(({ rows, sessions }) => sessions > 0 || isPartOfFailure(rows, undescribed))
    .sort((left, right) => right.lastDay - left.lastDay || right.sessions - left.sessions);
  return firstByTurns(sorted, MAX_GROUPS, ({ rows }) => [
    ...new Set(rows.map((row) => row.reporter)),
  ]).map(({ rows }): FailureGroup => {
    const described = rows.filter((row) => !row.isLost);
    const failureGroup = groupOf(rows, reportedFacts);
    return described.length === 0 || described.length === rows.length
      ? failureGroup
      : { ...failureGroup, core: groupOf(described, reportedFacts) };
  });
}

/** Returns the group of failures of one kind. */
function groupOf(failureRows: readonly FailureFact[], reportedFacts: ReportedFacts): FailureGroup {
  const [{ result, type, mx, domain }] = failureRows as [FailureFact];
  const met = reportedFacts.senders.filter((row) => row.result === result && row.mx === mx);
  const lastDay = latest(failureRows);
  return {
    result,
    type,
    domain,
    mode: modes.find((mode) => failureRows.some((row) => row.mode === mode)) ?? '',
    mx,
    ips: distinct(failureRows.map((row) => row.ip)),
    reporters: distinct(failureRows.map((row) => row.reporter)),
    encounters: encountersOf(failureRows),
    networks: distinct(met.map((row) => networkOf(row.ip))),
    reasons: distinct(failureRows.map((row) => row.reason)),
    lostConnections: failureRows.every((row) => row.isLost),
    firstDay: failureRows.reduce((dayNumber, row) => Math.min(dayNumber, row.firstDay), lastDay),
    lastDay,
    sessions: sum(failureRows),
  };
}

/**
 * Returns the MX host of a failure. Under DANE, this is the policy domain if the reporter
 * names no MX host (RFC 8460 §4.4).
 */
function hostOf({ mx, type, domain }: FailureFact, reportedFacts: ReportedFacts): string {
  return mx === '' && type === 'tlsa' && domain !== reportedFacts.domain ? domain : mx;
}

/**
 * Returns whether failure details without a count describe failed sessions. They do so
 * only if the summary, which gives the number of all failed sessions (RFC 8460 §4.4),
 * counts more failures than the details describe.
 */
function isPartOfFailure(
  failureRows: readonly FailureFact[],
  undescribed: ReadonlyMap<string, readonly FailureFact[]>,
): boolean {
  return failureRows.some((failureRow) =>
    undescribed
      .get(policyKey(failureRow))
      ?.some(
        (other) => other.firstDay <= failureRow.lastDay && other.lastDay >= failureRow.firstDay,
      ),
  );
}

/** Returns a key for a reporter's policy, which does not depend on the mode. */
function policyKey({ reporter, domain, type }: FailureFact): string {
  return JSON.stringify([reporter, domain, type]);
}

function encountersOf(failureRows: readonly FailureFact[]): readonly Encounter[] {
  return [...groupBy(failureRows, (failureRow) => failureRow.reporter)].map(([reporter, own]) => ({
    reporter,
    failed: sum(own),
    firstDay: Math.min(...own.map((row) => row.firstDay)),
    lastDay: latest(own),
    days: Math.max(...own.map((row) => row.days)),
  }));
}

function sum(failureRows: readonly FailureFact[]): number {
  return failureRows.reduce((count, row) => plus(count, row.failed), 0);
}

function latest(failureRows: readonly FailureFact[]): number {
  return failureRows.reduce((dayNumber, row) => Math.max(dayNumber, row.lastDay), 0);
}

function networkOf(ipAddress: string): string {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ipAddress))
    return `${ipAddress.slice(0, ipAddress.lastIndexOf('.'))}.0/24`;
  return ipAddress.includes(':') ? `${ipAddress.split(':').slice(0, 3).join(':')}::/48` : ipAddress;
}

/**
 * Returns whether a failure has not ended. A failure ends when every reporter that
 * observed it has reported a later day with successful sessions under the same policy,
 * without failures of this kind and without undescribed failures. A reporter without a
 * later report is not evidence that the failure ended.
 */
export function isOngoing(
  failureGroup: FailureGroup,
  { domain, sessions }: ReportedFacts,
): boolean {
  const comparable = sessions.filter(
    (row) => row.ok > 0 && row.undescribed === 0 && isSamePolicy(failureGroup, row, domain),
  );
  return failureGroup.encounters.some(
    ({ reporter, lastDay }) =>
      !comparable.some((row) => row.reporter === reporter && row.day > lastDay),
  );
}

/**
 * Returns whether sessions were under the policy of a group. With DANE some reporters
 * name the recipient domain as the policy domain; then the host is unknown. For a missing
 * STARTTLS any policy is comparable: a success under any policy is a TLS session.
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
