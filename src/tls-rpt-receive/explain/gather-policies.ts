import { neutralise } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import { exactSum } from './exact-sum.js';
import {
  NOT_DESCRIBED,
  neutraliseName,
  plus,
  type FailureFact,
  type QuotedPolicy,
  type ReportRow,
  type SessionRow,
} from './facts.js';
import { failuresOfDay, mergeDays, type DayFailure } from './gather-failures.js';
import {
  compareBy,
  compareTexts,
  firstOfReporters,
  rowDays,
  type RowPage,
  type RowSpan,
} from './row-pages.js';
import type { Steps } from './steps.js';

/**
 * Maximum numbers of facts of each kind. If there are more facts, those of each reporter
 * are selected in turn.
 */
export interface FactLimits {
  readonly rows: number;
  readonly quoted: number;
}

/** The facts in the authenticated policies of reports. */
export interface PolicyFacts {
  /** The oldest first. */
  readonly sessions: readonly SessionRow[];
  /** The oldest first. */
  readonly reports: readonly ReportRow[];
  /** Failures that a summary counts and no failure detail describes [8460-4.4-11]. */
  readonly undescribed: readonly FailureFact[];
  /** The oldest first. */
  readonly policies: readonly QuotedPolicy[];
  /** The numbers of the reports in the database, in ascending order. */
  readonly reportIds: readonly number[];
}

/** SQL columns for the sums of a {@link SessionRow}. */
export const sessionSums = [
  exactSum('ok'),
  exactSum('failed'),
  exactSum('undescribed'),
  exactSum("CASE mode WHEN 'none' THEN ok + failed ELSE 0 END", '"modeNone"'),
].join(', ');

/** Reads the policies of reports for a range of days, in steps of one page. */
export function* gatherPolicies(
  stateStore: Store,
  span: RowSpan,
  { rows: mostRows, quoted: mostQuoted }: FactLimits,
): Steps<PolicyFacts> {
  const sessions = new SessionFold(mostRows);
  const quotes = new QuoteFold(mostQuoted);
  const reports: ReportRow[] = [];
  const undescribed: (readonly DayFailure[])[] = [];
  const reportIds = new Set<number>();
  for (const { day, pages } of rowDays(stateStore, 'report_policy', span)) {
    const ofReporter = new Map<string, Set<number>>();
    const failed = new Map<string, DayFailure>();
    for (const page of pages()) {
      sessions.add(day, page);
      quotes.add(day, page);
      addUndescribed(failed, day, page);
      for (const { reporter, report } of page.rows<{ reporter: string; report: number }>(
        'SELECT DISTINCT reporter, report FROM $PAGE',
      )) {
        reportIds.add(report);
        ofReporter.set(reporter, (ofReporter.get(reporter) ?? new Set()).add(report));
      }
      yield;
    }
    sessions.endDay();
    quotes.endDay();
    undescribed.push(yield* failuresOfDay(failed.values(), mostRows));
    for (const [reporter, ids] of [...ofReporter].sort(([one], [other]) =>
      compareTexts(one, other),
    ))
      reports.push({ reporter: neutraliseName(reporter), day, reports: ids.size });
  }
  return {
    sessions: yield* sessions.first(),
    reports: reports.slice(0, mostRows).reverse(),
    undescribed: yield* mergeDays(undescribed.reverse(), mostRows),
    policies: yield* quotes.first(stateStore),
    reportIds: [...reportIds].sort((left, right) => left - right),
  };
}

/**
 * A counter of groups by reporter. Groups are read from the latest day backwards, which
 * is also their order in the result. A reporter with enough groups of later days needs
 * none of earlier days.
 */
class Enough {
  readonly #ofDays = new Map<string, number>();
  readonly #ofDay = new Map<string, number>();

  constructor(private readonly most: number) {}

  has(reporter: string): boolean {
    return (this.#ofDays.get(reporter) ?? 0) >= this.most;
  }

  add(reporter: string): void {
    this.#ofDay.set(reporter, (this.#ofDay.get(reporter) ?? 0) + 1);
  }

  endDay(): void {
    for (const [reporter, added] of this.#ofDay)
      this.#ofDays.set(reporter, (this.#ofDays.get(reporter) ?? 0) + added);
    this.#ofDay.clear();
  }
}

const compareSessions = compareBy(['reporter', 'type', 'domain']);

/** Adds up the sessions of each reporter, day, type and policy domain. */
export class SessionFold {
  readonly #rows = new Map<string, SessionRow>();
  readonly #enough: Enough;

  constructor(private readonly most: number) {
    this.#enough = new Enough(most);
  }

  add(day: number, { domain, rows }: RowPage, condition = ''): void {
    const found = rows<Omit<SessionRow, 'day' | 'domain'>>(
      `SELECT reporter, type, ${sessionSums} FROM $PAGE ${condition} GROUP BY reporter, type`,
    );
    for (const row of found) {
      const { reporter, type } = row;
      const key = JSON.stringify([day, domain, reporter, type]);
      const known = this.#rows.get(key);
      if (!known && this.#enough.has(reporter)) continue;
      if (!known) this.#enough.add(reporter);
      this.#rows.set(key, known ? sumOf(known, row) : { ...row, day, domain });
    }
  }

  endDay(): void {
    this.#enough.endDay();
  }

  /**
   * Selects at most `most` rows: the latest row of each reporter, then the second latest
   * of each, and so on. Returns the selected rows, the oldest first.
   */
  *first(): Steps<readonly SessionRow[]> {
    const first = yield* firstOfReporters(
      this.#rows.values(),
      this.most,
      (left, right) => right.day - left.day || compareSessions(left, right),
    );
    return first
      .map((row) => ({
        ...row,
        reporter: neutraliseName(row.reporter),
        type: neutraliseName(row.type),
        domain: neutraliseName(row.domain),
      }))
      .reverse();
  }
}

function sumOf(known: SessionRow, added: Omit<SessionRow, 'day' | 'domain'>): SessionRow {
  return {
    ...known,
    ok: plus(known.ok, added.ok),
    failed: plus(known.failed, added.failed),
    undescribed: plus(known.undescribed, added.undescribed),
    modeNone: plus(known.modeNone ?? 0, added.modeNone ?? 0),
  };
}

/** A quoted policy with the number of its text in the database instead of the text. */
interface QuoteRow extends Omit<QuotedPolicy, 'strings'> {
  readonly text: number;
}

/**
 * A collector of quoted policies, each with the first and last day on which a reporter
 * quoted it.
 */
class QuoteFold {
  readonly #rows = new Map<string, QuoteRow>();
  readonly #enough: Enough;

  constructor(private readonly most: number) {
    this.#enough = new Enough(most);
  }

  add(day: number, { domain, rows }: RowPage): void {
    const found = rows<{ reporter: string; type: string; text: number }>(
      'SELECT DISTINCT reporter, type, text FROM $PAGE AND text > 0',
    );
    for (const { reporter, type, text } of found) {
      const key = JSON.stringify([domain, reporter, type, text]);
      const known = this.#rows.get(key);
      if (!known && this.#enough.has(reporter)) continue;
      if (!known) this.#enough.add(reporter);
      const lastDay = known?.lastDay ?? day;
      this.#rows.set(key, { domain, reporter, type, text, firstDay: day, lastDay });
    }
  }

  endDay(): void {
    this.#enough.endDay();
  }

  /**
   * Selects the latest quotes of each reporter in turn. Returns the selected quotes, the
   * oldest first.
   */
  *first(stateStore: Store): Steps<readonly QuotedPolicy[]> {
    const first = yield* firstOfReporters(
      this.#rows.values(),
      this.most,
      (left, right) => compareQuotes(left, right) || left.text - right.text,
    );
    const textOf = stateStore.prepare<{ text: string }>(
      'SELECT text FROM report_text WHERE id = ?',
    );
    const quoted: (QuoteRow & { readonly json: string })[] = [];
    for (const [index, row] of first.entries()) {
      const json = textOf.get(row.text)?.text;
      if (json !== undefined) quoted.push({ ...row, json });
      if (index % 100 === 99) yield;
    }
    quoted.sort((left, right) => compareQuotes(left, right) || compareTexts(left.json, right.json));
    const policies: QuotedPolicy[] = [];
    for (const [index, { json, domain, type, reporter, firstDay, lastDay }] of quoted.entries()) {
      if (index % 100 === 99) yield;
      policies.push({
        domain: neutraliseName(domain),
        type: neutraliseName(type),
        reporter: neutraliseName(reporter),
        strings: (JSON.parse(json) as string[]).map((textLine) => neutralise(textLine)),
        firstDay,
        lastDay,
      });
    }
    return policies.reverse();
  }
}

const compareNames = compareBy(['domain', 'type', 'reporter']);

function compareQuotes(left: QuoteRow, right: QuoteRow): number {
  return (
    right.lastDay - left.lastDay || right.firstDay - left.firstDay || compareNames(left, right)
  );
}

function addUndescribed(
  failed: Map<string, DayFailure>,
  day: number,
  { domain, rows }: RowPage,
): void {
  const found = rows<Pick<DayFailure, 'type' | 'mode' | 'reporter' | 'failed'>>(
    `SELECT type, mode, reporter, ${exactSum('undescribed', 'failed')}
     FROM $PAGE AND undescribed > 0 GROUP BY type, mode, reporter`,
  );
  for (const row of found) {
    const key = JSON.stringify([domain, row.type, row.mode, row.reporter]);
    const known = failed.get(key)?.failed ?? 0;
    failed.set(key, {
      ...{ domain, result: NOT_DESCRIBED, mx: '', ip: '', reason: '', day },
      ...row,
      failed: plus(known, row.failed),
    });
  }
}
