import { arrivals, isSilent, perhapsLoops, type Arrival } from './arrivals.js';
import { explainGroup, explainNote, type Explanation } from './explain-group.js';
import { dateOf, type DomainFacts, type ReporterDayRow } from './facts.js';
import { groupFailures } from './group-failures.js';
import { canEnforce, type EnforceAnswer } from './can-enforce.js';
import { quotedRecords, seenPolicies, type QuotedRecord, type SeenPolicy } from './quoted.js';
import { timeline, type TimelineDay } from './timeline.js';

/** Sessions of a kind of policy. A session under two policies counts in both, so kinds are never added up [8460-4-2]. */
export interface KindSums {
  readonly type: string;
  readonly successful: number;
  readonly failed: number;
}

export interface ReporterSums {
  readonly reporter: string;
  readonly reports: number;
  readonly kinds: readonly KindSums[];
}

/** `hermetic.report-view/1`: what the reports about a domain say, and what to do. Dates are UTC days. */
export interface DomainView {
  readonly schema: 'hermetic.report-view/1';
  readonly domain: string;
  readonly from: string;
  readonly to: string;
  readonly generatedAt: string;
  /** Is anything broken now? `failing`: failures on the last reported day that are not over. */
  readonly status: 'well' | 'failing' | 'ended' | 'no-reports';
  readonly reports: number;
  readonly kinds: readonly KindSums[];
  /** What is broken, what was, whose fault it is, what becomes of the mail, and what to do: the most recent first. */
  readonly failures: readonly Explanation[];
  readonly timeline: readonly TimelineDay[];
  readonly seenPolicies: readonly SeenPolicy[];
  readonly enforce: EnforceAnswer;
  readonly quotedRecords: readonly QuotedRecord[];
  readonly arrivals: readonly Arrival[];
  readonly silent: boolean;
  /** Reporters whose only session each day may be their own report. */
  readonly perhapsLoops: readonly string[];
  readonly reporters: readonly ReporterSums[];
  /** Reports that do not count, and why. */
  readonly doubtful: readonly {
    readonly trust: string;
    readonly reporter: string;
    readonly detail: string;
    readonly reports: number;
    readonly last?: string;
  }[];
  readonly repeated: number;
  readonly reusedIds: number;
  /** How reporters depart from RFC 8460. */
  readonly repairs: readonly {
    readonly reporter: string;
    readonly code: string;
    readonly reports: number;
    readonly says: string;
  }[];
}

/** Answers everything about one domain from the facts. Pure. */
export function viewDomain(facts: DomainFacts, silenceHours?: number): DomainView {
  const failures = groupFailures(facts).map((group) => explainGroup(group, facts));
  const reports = facts.days.filter((d) => d.type === '').reduce((n, d) => n + d.reports, 0);
  return {
    schema: 'hermetic.report-view/1',
    domain: facts.domain,
    from: dateOf(facts.from),
    to: dateOf(facts.to),
    generatedAt: new Date(facts.now).toISOString(),
    status:
      reports === 0
        ? 'no-reports'
        : failures.some((f) => f.ongoing)
          ? 'failing'
          : failures.length > 0
            ? 'ended'
            : 'well',
    reports,
    kinds: kindsOf(facts.days),
    failures,
    timeline: timeline(facts),
    seenPolicies: seenPolicies(facts),
    enforce: canEnforce(facts, failures),
    quotedRecords: quotedRecords(facts),
    arrivals: arrivals(facts.reporters, facts.now, silenceHours),
    silent: isSilent(facts.reporters, facts.now, silenceHours),
    perhapsLoops: perhapsLoops(facts.reporters),
    reporters: reportersOf(facts),
    doubtful: facts.doubtful.map(({ lastDay, ...row }) => ({
      ...row,
      ...(lastDay === null ? {} : { last: dateOf(lastDay) }),
    })),
    repeated: facts.copies,
    reusedIds: facts.reusedIds,
    repairs: facts.notes.map((note) => ({ ...note, says: explainNote(note.code) })),
  };
}

function kindsOf(
  rows: readonly { readonly type: string; readonly ok: number; readonly failed: number }[],
): readonly KindSums[] {
  const sums = new Map<string, { successful: number; failed: number }>();
  for (const { type, ok, failed } of rows) {
    if (type === '') continue;
    const sum = sums.get(type) ?? { successful: 0, failed: 0 };
    sums.set(type, { successful: sum.successful + ok, failed: sum.failed + failed });
  }
  return [...sums]
    .map(([type, sum]) => ({ type, ...sum }))
    .sort((a, b) => b.successful + b.failed - a.successful - a.failed);
}

function reportersOf({ reporters }: DomainFacts): readonly ReporterSums[] {
  const byReporter = new Map<string, ReporterDayRow[]>();
  for (const row of reporters) {
    const known = byReporter.get(row.reporter);
    if (known) known.push(row);
    else byReporter.set(row.reporter, [row]);
  }
  return [...byReporter]
    .map(([reporter, rows]) => {
      return {
        reporter,
        reports: rows.filter((r) => r.type === '').reduce((n, r) => n + r.reports, 0),
        kinds: kindsOf(rows),
      };
    })
    .sort((a, b) => sessionsOf(b) - sessionsOf(a));
}

/** The largest count of a kind: kinds overlap. */
export function sessionsOf({ kinds }: { readonly kinds: readonly KindSums[] }): number {
  return Math.max(0, ...kinds.map((k) => k.successful + k.failed));
}
