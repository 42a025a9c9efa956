import type { Store } from '../../store/index.js';
import { isAuthenticated, type ReportTrust } from '../types.js';
import { forgetTexts, partIds } from './store-reports.js';

/** The limits on the age and the number of stored reports. */
export interface PruneOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Number of days for which reports are stored. */
  readonly keepDays: number;
  /**
   * Number of days for which reports that are excluded from the sums are stored. Default
   * 30.
   */
  readonly keepUncountedDays?: number;
  /**
   * Maximum number of reports that are excluded from the sums, since any client can send
   * them. Default 100 000.
   */
  readonly maxUncounted?: number;
  /** Maximum number of unauthenticated reports, counted or not. Default 400 000. */
  readonly maxUnauthenticated?: number;
}

const dayMs = 86_400_000;
/**
 * Maximum number of reports that are deleted in one transaction, so that a write of the
 * intake is delayed only by milliseconds.
 */
const batch = 200;
/**
 * SQL that stores the digest of a counted report, so that a copy does not count again if
 * it arrives after the report was deleted.
 */
const remember = `INSERT INTO report_pruned (digest, day, authenticated)
  SELECT digest, coalesce(day, received_at / 86400000 - 1), CASE WHEN trust IN ('signed', 'given') THEN 1 ELSE 0 END
  FROM report WHERE id = ? AND counted = 1
  ON CONFLICT (digest) DO NOTHING`;

/**
 * Deletes the reports that exceed a limit on age or number, and resolves to their number.
 * Between short transactions the event loop and other writes run. The daily sums and the
 * digests of counted reports stay.
 */
export async function pruneReports(
  stateStore: Store,
  {
    now,
    keepDays,
    keepUncountedDays = 30,
    maxUncounted = 100_000,
    maxUnauthenticated = 400_000,
  }: PruneOptions,
): Promise<number> {
  const texts = new Set<number>();
  const remove = (rows: readonly { readonly id: number }[]): Promise<void> =>
    stateStore.write('report', function* () {
      for (const { id } of rows) {
        removeReport(stateStore, id, texts);
        yield;
      }
    });
  const prune = async (which: string, ...values: readonly number[]): Promise<number> => {
    for (let removed = 0; ;) {
      const rows = stateStore.prepare<{ id: number }>(which).all(...values);
      if (rows.length === 0) return removed;
      await remove(rows);
      removed += rows.length;
    }
  };
  /** Deletes the oldest unauthenticated reports, which have the lowest numbers. */
  const pruneUnauthenticated = async (): Promise<number> => {
    const before = excessBefore(stateStore, maxUnauthenticated);
    let removed = 0;
    for (let last = 0; before > 0;) {
      const rows = stateStore
        .prepare<{ id: number; at: number; trust: ReportTrust }>(
          'SELECT id, received_at AS at, trust FROM report WHERE id > ? ORDER BY id LIMIT ?',
        )
        .all(last, batch);
      const old = rows.filter(({ at, trust }) => at < before && !isAuthenticated(trust));
      await remove(old);
      removed += old.length;
      last = rows.at(-1)?.id ?? 0;
      if (rows.length < batch || rows.every(({ at }) => at >= before)) break;
    }
    return removed;
  };
  const removed =
    (await prune(
      'SELECT id FROM report WHERE received_at < ? LIMIT ?',
      now - keepDays * dayMs,
      batch,
    )) +
    (await prune(
      'SELECT id FROM report WHERE counted = 0 AND received_at < ? LIMIT ?',
      now - keepUncountedDays * dayMs,
      batch,
    )) +
    (await prune(
      'SELECT id FROM report WHERE counted = 0 ORDER BY received_at DESC LIMIT ? OFFSET ?',
      batch,
      maxUncounted,
    )) +
    (await pruneUnauthenticated());
  await pruneTexts(stateStore, texts);
  await stateStore.write('report', () => {
    stateStore.prepare('DELETE FROM report_check WHERE checked_at < ?').run(now - keepDays * dayMs);
    stateStore
      .prepare('DELETE FROM report_intake WHERE day < ?')
      .run(Math.floor(now / dayMs) - keepDays);
  });
  return removed;
}

/**
 * Returns the time in milliseconds before which unauthenticated reports must be deleted;
 * 0 if none must be. It is the end of the latest day that, together with all later days,
 * has more reports than the limit.
 */
function excessBefore(stateStore: Store, most: number): number {
  let sum = 0;
  const days = stateStore
    .prepare<{ day: number; reports: number }>(
      'SELECT day, reports FROM report_intake WHERE authenticated = 0 ORDER BY day DESC',
    )
    .all();
  for (const { day, reports } of days) {
    sum += reports;
    if (sum > most) return (day + 1) * dayMs;
  }
  return 0;
}

/**
 * Deletes a report with its rows, and adds the numbers of its policy texts to `texts`.
 */
function removeReport(stateStore: Store, reportId: number, texts: Set<number>): void {
  const policies = stateStore
    .prepare<{ text: number }>('SELECT text FROM report_policy WHERE id BETWEEN ? AND ?')
    .all(...partIds(reportId));
  for (const { text } of policies) if (text > 0) texts.add(text);
  stateStore.prepare(remember).run(reportId);
  stateStore
    .prepare('DELETE FROM report_policy WHERE id BETWEEN ? AND ?')
    .run(...partIds(reportId));
  stateStore
    .prepare('DELETE FROM report_failure WHERE id BETWEEN ? AND ?')
    .run(...partIds(reportId));
  stateStore.prepare('DELETE FROM report WHERE id = ?').run(reportId);
}

/** Number of reports whose policies are examined in one step. */
const STEP = 1000;

/** Deletes those of the texts that no policy uses any more, in one transaction. */
async function pruneTexts(stateStore: Store, texts: ReadonlySet<number>): Promise<void> {
  if (texts.size === 0) return;
  await stateStore.write('report', function* () {
    const unused = new Set(texts);
    const last = stateStore
      .prepare<{ id: number | null }>('SELECT max(id) AS id FROM report')
      .get()?.id;
    for (let reportId = 0; reportId <= (last ?? -1) && unused.size > 0; reportId += STEP) {
      const used = stateStore
        .prepare<{ text: number }>(
          'SELECT DISTINCT text FROM report_policy WHERE id BETWEEN ? AND ?',
        )
        .all(partIds(reportId)[0], partIds(reportId + STEP - 1)[1]);
      for (const { text } of used) unused.delete(text);
      yield;
    }
    for (const reportId of unused) {
      stateStore.prepare('DELETE FROM report_text WHERE id = ?').run(reportId);
      yield;
    }
    forgetTexts(stateStore);
  });
}
