import type { Store } from '../store/index.js';
import type { FailureDetails, ReportedPolicy } from '../tls-rpt/index.js';
import type { SessionEvent } from './session-event.js';

/** Number of milliseconds in a day. */
export const DAY = 86_400_000;

/** The name under which report sending writes to the store. */
export const REPORTING = 'reporting';

/**
 * Maximum number of rows for one domain and day. The receiving server supplies the texts
 * of the rows and could otherwise fill the sender's disk.
 */
const MAX_ROWS = { policies: 50, failures: 500 };

/**
 * Adds events to the counts of their UTC days (RFC 8460 §4.1): all events, or none if an
 * error occurs. The sums are exact. When the maximum number of rows is reached, further
 * sessions are counted under the same policy without its text, and under the same result
 * type without details.
 */
export function countSessions(stateStore: Store, sessionEvents: readonly SessionEvent[]): void {
  stateStore.transaction(() => {
    for (const _ of countInSteps(stateStore, sessionEvents));
  });
}

/**
 * Adds events as `countSessions` does, one event per step, in the caller's transaction.
 */
export function* countInSteps(
  stateStore: Store,
  sessionEvents: readonly SessionEvent[],
): Generator<void, void> {
  const domain = stateStore.prepare(
    'INSERT INTO send_report_domain (day, domain, record) VALUES (?, ?, ?) ON CONFLICT (day, domain) DO UPDATE SET record = excluded.record',
  );
  for (const { at, domain: name, record, policy } of sessionEvents) {
    const dayStart = Math.floor(at / DAY) * DAY;
    domain.run(dayStart, name, record);
    countPolicy(stateStore, dayStart, name, policy);
    yield;
  }
}

function countPolicy(
  stateStore: Store,
  dayStart: number,
  domainName: string,
  reportedPolicy: ReportedPolicy,
): void {
  const addSessions = stateStore.prepare(
    'UPDATE send_report_count SET ok = ok + ?, failed = failed + ? WHERE day = ? AND domain = ? AND policy = ?',
  );
  const insert = stateStore.prepare(
    'INSERT INTO send_report_count (day, domain, policy, ok, failed) VALUES (?, ?, ?, ?, ?)',
  );
  const { totalSuccessfulSessionCount: ok, totalFailureSessionCount: failed } = reportedPolicy;
  const counted = (key: string): boolean =>
    addSessions.run(ok, failed, dayStart, domainName, key) > 0;
  let policyKey = writePolicy(reportedPolicy);
  if (!counted(policyKey)) {
    if (rowsOf(stateStore, 'send_report_count', dayStart, domainName) >= MAX_ROWS.policies)
      policyKey = writePolicy({ ...reportedPolicy, policyString: [], mxHost: [] });
    if (!counted(policyKey)) insert.run(dayStart, domainName, policyKey, ok, failed);
  }
  for (const failure of reportedPolicy.failureDetails)
    countFailure(stateStore, { day: dayStart, domain: domainName, policy: policyKey }, failure);
}

/** The key of a counted policy. `policy` is the JSON of the policy without counts. */
interface PolicyKey {
  readonly day: number;
  readonly domain: string;
  readonly policy: string;
}

function countFailure(
  stateStore: Store,
  { day, domain, policy }: PolicyKey,
  failure: FailureDetails,
): void {
  const where = 'day = ? AND domain = ? AND policy = ? AND failure = ?';
  const addSessions = stateStore.prepare(
    `UPDATE send_report_failure SET sessions = sessions + ? WHERE ${where}`,
  );
  const insert = stateStore.prepare(
    'INSERT INTO send_report_failure (day, domain, policy, failure, sessions) VALUES (?, ?, ?, ?, ?)',
  );
  const { failedSessionCount: sessions, ...particulars } = failure;
  const counted = (text: string): boolean =>
    addSessions.run(sessions, day, domain, policy, text) > 0;
  let particularsText = JSON.stringify(particulars);
  if (counted(particularsText)) return;
  if (rowsOf(stateStore, 'send_report_failure', day, domain) >= MAX_ROWS.failures)
    particularsText = JSON.stringify({ resultType: failure.resultType });
  if (!counted(particularsText)) insert.run(day, domain, policy, particularsText, sessions);
}

function rowsOf(
  stateStore: Store,
  table: 'send_report_count' | 'send_report_failure',
  dayStart: number,
  domainName: string,
): number {
  const found = stateStore
    .prepare<{ rows: number }>(`SELECT count(*) AS rows FROM ${table} WHERE day = ? AND domain = ?`)
    .get(dayStart, domainName);
  return found?.rows ?? 0;
}

function writePolicy({ policyType, policyDomain, policyString, mxHost }: ReportedPolicy): string {
  return JSON.stringify({ policyType, policyDomain, policyString, mxHost });
}

/**
 * Returns the counts of a domain and day that are in no report yet, in a stable order.
 */
export function countedPolicies(
  stateStore: Store,
  dayStart: number,
  domainName: string,
): readonly ReportedPolicy[] {
  const failures = stateStore
    .prepare<{ policy: string; failure: string; sessions: number }>(
      'SELECT policy, failure, sessions FROM send_report_failure WHERE day = ? AND domain = ? ORDER BY policy, sessions DESC, failure',
    )
    .all(dayStart, domainName);
  return stateStore
    .prepare<{ policy: string; ok: number; failed: number }>(
      'SELECT policy, ok, failed FROM send_report_count WHERE day = ? AND domain = ? ORDER BY policy',
    )
    .all(dayStart, domainName)
    .map(({ policy, ok, failed }) => ({
      ...(JSON.parse(policy) as Pick<
        ReportedPolicy,
        'policyType' | 'policyDomain' | 'policyString' | 'mxHost'
      >),
      totalSuccessfulSessionCount: ok,
      totalFailureSessionCount: failed,
      failureDetails: failures
        .filter((row) => row.policy === policy)
        .map(({ failure, sessions }) => ({
          ...(JSON.parse(failure) as Omit<FailureDetails, 'failedSessionCount'>),
          failedSessionCount: sessions,
        })),
    }));
}
