import type { Store } from '../../store/index.js';

/**
 * The session counts of one report about a domain, with the day as `2026-11-24`.
 * `signedBy`: the reporter, if its organisation signed the report with DKIM; otherwise
 * undefined.
 */
export interface ReportEvidence {
  readonly signedBy?: string | undefined;
  readonly via: 'mail' | 'https';
  readonly day: string;
  readonly sessions: number;
  readonly failures: number;
}

const DAY = 86_400_000;
const MOST = 100_000;

/**
 * Returns the counts of each counted report about a domain since a time in milliseconds.
 */
export function reportEvidence(
  stateStore: Store,
  domainName: string,
  since: number,
): readonly ReportEvidence[] {
  return stateStore
    .prepare<{
      reporter: string;
      via: string;
      trust: string;
      day: number;
      ok: number;
      failed: number;
    }>(
      `SELECT report.reporter AS reporter, report.via AS via, report.trust AS trust, report_policy.day AS day,
         SUM(report_policy.ok) AS ok, SUM(report_policy.failed) AS failed
       FROM report_policy JOIN report ON report.id = report_policy.report
       WHERE report_policy.domain = ? AND report_policy.day >= ? AND report_policy.counted = 1
       GROUP BY report.id, report.reporter, report.via, report.trust, report_policy.day LIMIT ?`,
    )
    .all(domainName, Math.floor(since / DAY), MOST)
    .map(({ reporter, via, trust, day, ok, failed }) => ({
      signedBy: trust === 'signed' ? reporter : undefined,
      via: via === 'mail' || via === 'mailbox' ? 'mail' : 'https',
      day: new Date(day * DAY).toISOString().slice(0, 10),
      sessions: ok + failed,
      failures: failed,
    }));
}
