import type { Store } from '../../store/index.js';

/** The part of a stored report that concerns one domain. */
export interface DomainReport {
  readonly domain: string;
  /** The UTC day that the report covers, as `2026-11-24`. */
  readonly day: string;
  /** The organisation that the report names, as foreign text. */
  readonly organization: string;
  /**
   * Whether the report is authenticated by a signature of the reporter or by the
   * operator.
   */
  readonly authenticated: boolean;
  readonly successes: number;
  readonly failures: number;
  /** The result types of the failures (RFC 8460 §4.3). */
  readonly resultTypes: readonly string[];
  /** The addresses of sending servers that the failures name. */
  readonly senders: readonly string[];
}

const DAY = 86_400_000;
/**
 * The factor between the number of a report and the numbers of its rows (migrations.ts).
 */
const PARTS = 1_000_000;
const MAX_FAILURES = 1000;
const MAX_SHOWN = 32;

interface PolicyRow {
  readonly report: number;
  readonly domain: string;
  readonly day: number;
  readonly organization: string | null;
  readonly reporter: string;
  readonly authenticated: number;
  readonly ok: number;
  readonly failed: number;
}

interface FailureRow {
  readonly id: number;
  readonly domain: string;
  readonly result: string;
  readonly sender_ip: string;
}

/**
 * Returns the counted reports about any of these domains, the authenticated ones first,
 * at most `limit`. The list must be short, since each domain is a parameter of the query.
 */
export function domainReports(
  stateStore: Store,
  domains: readonly string[],
  limit: number,
): readonly DomainReport[] {
  if (domains.length === 0) return [];
  const marks = domains.map(() => '?').join(', ');
  const policies = stateStore
    .prepare<PolicyRow>(
      `SELECT p.report AS report, p.domain AS domain, p.day AS day, r.organization AS organization,
         p.reporter AS reporter, max(p.authenticated) AS authenticated, sum(p.ok) AS ok,
         sum(p.failed) AS failed
       FROM report_policy AS p JOIN report AS r ON r.id = p.report
       WHERE p.domain IN (${marks}) AND p.counted = 1
       GROUP BY p.report, p.domain, p.day, r.organization, p.reporter
       ORDER BY max(p.authenticated) DESC, p.report LIMIT ?`,
    )
    .all(...domains, limit);
  const failures = stateStore.prepare<FailureRow>(
    `SELECT id, domain, result, sender_ip FROM report_failure
     WHERE domain = ? AND id BETWEEN ? AND ? LIMIT ?`,
  );
  return policies.map(({ report, domain, day, organization, reporter, authenticated, ...sums }) => {
    const first = report * PARTS;
    const rows = failures.all(domain, first, first + PARTS - 1, MAX_FAILURES);
    return {
      domain,
      day: new Date(day * DAY).toISOString().slice(0, 10),
      organization: organization ?? reporter,
      authenticated: authenticated === 1,
      successes: sums.ok,
      failures: sums.failed,
      resultTypes: distinct(rows.map(({ result }) => result)),
      senders: distinct(rows.map((row) => row.sender_ip)),
    };
  });
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.filter((one) => one !== ''))].slice(0, MAX_SHOWN);
}
