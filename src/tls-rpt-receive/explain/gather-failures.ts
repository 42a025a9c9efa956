import { neutralise } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import { firstByTurns } from './by-turns.js';
import { exactSum } from './exact-sum.js';
import { neutraliseName, plus, type FailureFact, type SenderRow } from './facts.js';
import { compareBy, firstOfReporters, rowDays, type RowPage, type RowSpan } from './row-pages.js';
import { isConnectionTrouble } from './reason-texts-registry.js';
import { sortedInSteps, type Steps } from './steps.js';

/** Maximum number of rows that one step merges with the rows of other days. */
const MERGED = 500;

/** The sum of equal failures of one day. */
export interface DayFailure extends Omit<FailureFact, 'isLost' | 'firstDay' | 'lastDay' | 'days'> {
  readonly day: number;
}

/** The facts in the authenticated failure details of reports. */
export interface FailureFacts {
  readonly described: readonly FailureFact[];
  readonly senders: readonly SenderRow[];
}

/** Reads the failure details of reports for a range of days, in steps of one page. */
export function* gatherFailures(
  stateStore: Store,
  span: RowSpan,
  most: { readonly rows: number; readonly senders: number },
): Steps<FailureFacts> {
  const days: (readonly DayFailure[])[] = [];
  const senders = new SenderFold(most.senders);
  for (const { day, pages } of rowDays(stateStore, 'report_failure', span)) {
    const failed = new Map<string, DayFailure>();
    for (const page of pages()) {
      addDescribed(failed, day, page);
      yield;
      senders.add(page);
      yield;
    }
    days.push(yield* failuresOfDay(failed.values(), most.rows));
  }
  return {
    described: yield* mergeDays(days.reverse(), most.rows),
    senders: yield* senders.first(),
  };
}

function addDescribed(failed: Map<string, DayFailure>, day: number, page: RowPage): void {
  const { domain } = page;
  const found = page.rows<Omit<DayFailure, 'day' | 'domain'>>(
    `SELECT type, mode, result, mx, ip, reporter, reason, ${exactSum('failed')}
     FROM $PAGE GROUP BY type, mode, result, mx, ip, reporter, reason`,
  );
  for (const row of found) {
    const { type, mode, result, mx, ip, reporter, reason } = row;
    const key = JSON.stringify([domain, type, mode, result, mx, ip, reporter, reason]);
    const known = failed.get(key)?.failed ?? 0;
    failed.set(key, { ...row, domain, day, failed: plus(known, row.failed) });
  }
}

/** Returns at most `most` failures, the largest of each reporter in turn. */
export function* failuresOfDay(
  failures: Iterable<DayFailure>,
  most: number,
): Steps<readonly DayFailure[]> {
  return yield* firstOfReporters(
    failures,
    most,
    (left, right) => right.failed - left.failed || compareCircumstances(left, right),
  );
}

const circumstances = [
  ...(['domain', 'type', 'mode', 'result', 'mx', 'ip', 'reporter', 'reason'] as const),
];
/**
 * Returns whether a field may contain a sentence: some reporters write a sentence as the
 * result.
 */
const isWords = (field: (typeof circumstances)[number]): boolean =>
  field === 'reason' || field === 'result';
const compareCircumstances = compareBy(circumstances);

/**
 * Adds up the equal failures of several days, which must be in ascending order.
 * Neutralises all text, which becomes a fact here [8460-7-4].
 */
export function* mergeDays(
  days: readonly (readonly DayFailure[])[],
  most: number,
): Steps<readonly FailureFact[]> {
  const merged = new Map<string, FailureFact>();
  for (const failures of days) {
    for (const [index, { day, ...failure }] of failures.entries()) {
      if (index % MERGED === MERGED - 1) yield;
      const shown = { ...failure };
      for (const field of circumstances)
        shown[field] = isWords(field) ? neutralise(failure[field]) : neutraliseName(failure[field]);
      const key = JSON.stringify(circumstances.map((field) => shown[field]));
      const known = merged.get(key) ?? {
        ...shown,
        // `isLost` is computed once for each fact, since the judgement of each failure
        // reads it for all facts.
        isLost: isConnectionTrouble(shown.reason),
        failed: 0,
        firstDay: day,
        lastDay: -1,
        days: 0,
      };
      merged.set(key, {
        ...known,
        failed: plus(known.failed, failure.failed),
        lastDay: day,
        days: known.days + (known.lastDay === day ? 0 : 1),
      });
    }
    yield;
  }
  const largest = yield* sortedInSteps(
    [...merged.values()],
    (left, right) => right.failed - left.failed,
  );
  yield;
  return firstByTurns(largest, most, ({ reporter }) => [reporter]);
}

/** The addresses from which each reporter observed failures. */
class SenderFold {
  readonly #ofReporter = new Map<string, Map<string, SenderRow>>();

  constructor(private readonly most: number) {}

  add({ rows }: RowPage): void {
    const found = rows<SenderRow>(
      "SELECT DISTINCT result, mx, reporter, sender_ip AS ip FROM $PAGE AND sender_ip <> ''",
    );
    for (const row of found) {
      const own = this.#ofReporter.get(row.reporter) ?? new Map<string, SenderRow>();
      own.set(JSON.stringify([row.result, row.mx, row.ip]), row);
      this.#ofReporter.set(row.reporter, own.size < 2 * this.most ? own : this.#firstOf(own));
    }
  }

  /**
   * Returns the first rows of a reporter in the order of the result. Later rows cannot be
   * among the selected ones.
   */
  #firstOf(own: ReadonlyMap<string, SenderRow>): Map<string, SenderRow> {
    const sorted = [...own].sort(([, left], [, right]) => compareSenders(left, right));
    return new Map(sorted.slice(0, this.most));
  }

  *first(): Steps<readonly SenderRow[]> {
    const all = [...this.#ofReporter.values()].flatMap((own) => [...own.values()]);
    const first = yield* firstOfReporters(all, this.most, compareSenders);
    return first.map(({ result, mx, reporter, ip }) => ({
      result: neutralise(result),
      mx: neutraliseName(mx),
      reporter: neutraliseName(reporter),
      ip: neutraliseName(ip),
    }));
  }
}

const compareSenders = compareBy(['result', 'mx', 'reporter', 'ip']);
