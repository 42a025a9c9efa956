import type { CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';
import type {
  DayRow,
  DomainFacts,
  DoubtfulRow,
  FailureRow,
  NoteRow,
  QuotedPolicy,
  ReporterDayRow,
  SenderRow,
} from './facts.js';

export interface GatherOptions {
  readonly domain: string;
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly checks: readonly CheckResult[];
}

/** Of each kind of fact. A large domain has a tenth of that in a month; who makes reports up shall not make them dear to read. */
const MAX_ROWS = 20_000;

/** Reads what is known of a domain in a span of days. Its mail hosts count as part of it: with DANE they are policy domains of their own (RFC 8460 §1.1). */
export function gatherFacts(
  store: Store,
  { domain, from, to, now, checks }: GatherOptions,
): DomainFacts {
  const hosts = checks.at(-1)?.hosts.map((host) => host.name) ?? [];
  const names = [...new Set([domain, ...hosts])].slice(0, 20);
  const span = [...names, from, to];
  const where = `domain IN (${names.map(() => '?').join(', ')}) AND day BETWEEN ? AND ?`;
  const all = <Row>(sql: string): Row[] =>
    store.prepare<Row>(sql.replaceAll('$WHERE', where)).all(
      ...sql
        .split('$WHERE')
        .slice(1)
        .flatMap(() => span),
    );
  const quoted = all<Omit<QuotedPolicy, 'strings'> & { text: string }>(
    `SELECT p.domain, p.type, p.reporter, t.text, p.firstDay, p.lastDay FROM (
       SELECT domain, type, reporter, text, min(day) AS firstDay, max(day) AS lastDay FROM report_policy
       WHERE $WHERE AND counted = 1 AND text > 0 GROUP BY domain, type, reporter, text
     ) AS p JOIN report_text AS t ON t.id = p.text ORDER BY p.lastDay DESC LIMIT 1000`,
  );
  const [copied] = all<{ copies: number | null }>(
    'SELECT sum(copies - 1) AS copies FROM report WHERE copies > 1 AND id IN (SELECT report FROM report_policy WHERE $WHERE)',
  );
  const [reused] = all<{ n: number }>(
    `SELECT count(*) AS n FROM (
       SELECT 1 FROM report WHERE report_id IS NOT NULL AND id IN (SELECT report FROM report_policy WHERE $WHERE)
       GROUP BY reporter, report_id, day HAVING count(*) > 1
     ) AS reused`,
  );
  const reporters = all<ReporterDayRow>(
    `SELECT reporter, day, type, sum(ok) AS ok, sum(failed) AS failed, count(*) AS reports FROM report_policy
     WHERE $WHERE AND counted = 1 GROUP BY reporter, day, type
     UNION ALL
     SELECT reporter, day, '' AS type, 0 AS ok, 0 AS failed, count(DISTINCT report) AS reports FROM report_policy
     WHERE $WHERE AND counted = 1 GROUP BY reporter, day ORDER BY day DESC LIMIT ${MAX_ROWS}`,
  ).reverse();
  return {
    domain,
    from,
    to,
    now,
    checks,
    days: daysOf(reporters),
    reporters,
    failures: all<FailureRow>(
      `SELECT domain, type, mode, result, mx, ip, reporter, reason, sum(failed) AS failed, min(day) AS firstDay, max(day) AS lastDay
       FROM report_failure WHERE $WHERE AND counted = 1 GROUP BY domain, type, mode, result, mx, ip, reporter, reason
       ORDER BY failed DESC LIMIT ${MAX_ROWS}`,
    ),
    senders: all<SenderRow>(
      `SELECT DISTINCT result, mx, reporter, sender_ip AS ip FROM report_failure WHERE $WHERE AND counted = 1 AND sender_ip <> '' LIMIT 2000`,
    ),
    policies: quoted
      .reverse()
      .map(({ text, ...rest }) => ({ ...rest, strings: JSON.parse(text) as string[] })),
    doubtful: all<DoubtfulRow>(
      `SELECT trust, reporter, min(trust_detail) AS detail, count(*) AS reports, max(day) AS "lastDay" FROM report
       WHERE counted = 0 AND id IN (SELECT report FROM report_policy WHERE $WHERE AND counted = 0)
       GROUP BY trust, reporter ORDER BY reports DESC LIMIT 50`,
    ),
    notes: notesOf(
      all<{ reporter: string; notes: string }>(
        'SELECT reporter, notes FROM report WHERE notes IS NOT NULL AND id IN (SELECT report FROM report_policy WHERE $WHERE) LIMIT 1000',
      ),
    ),
    reusedIds: reused?.n ?? 0,
    copies: copied?.copies ?? 0,
  };
}

function daysOf(rows: readonly ReporterDayRow[]): readonly DayRow[] {
  const days = new Map<string, DayRow>();
  for (const { day, type, ok, failed, reports } of rows) {
    const sum = days.get(`${day} ${type}`) ?? { ok: 0, failed: 0, reports: 0 };
    days.set(`${day} ${type}`, {
      day,
      type,
      ok: sum.ok + ok,
      failed: sum.failed + failed,
      reports: sum.reports + reports,
    });
  }
  return [...days.values()];
}

function notesOf(rows: readonly { reporter: string; notes: string }[]): readonly NoteRow[] {
  const counted = new Map<string, { reporter: string; code: string; reports: number }>();
  for (const { reporter, notes } of rows)
    for (const { code } of (JSON.parse(notes) as { notes: readonly { code: string }[] }).notes) {
      const known = counted.get(`${reporter} ${code}`) ?? { reporter, code, reports: 0 };
      known.reports++;
      counted.set(`${reporter} ${code}`, known);
    }
  return [...counted.values()].sort((a, b) => b.reports - a.reports);
}
