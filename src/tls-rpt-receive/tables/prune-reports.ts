import type { Store } from '../../store/index.js';
import { isAuthenticated, type ReportTrust } from '../types.js';
import { forgetTexts, partIds } from './store-reports.js';

/** The bounds of stored reports in time and number. */
export interface PruneOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Days for which reports are stored. */
  readonly keepDays: number;
  /** Days for reports that do not count. Default 30. */
  readonly keepUncountedDays?: number;
  /**
   * Maximum number of reports that do not count: any client can send them. Default 100
   * 000.
   */
  readonly maxUncounted?: number;
  /** Maximum number of unauthenticated reports, counted or not. Default 400 000. */
  readonly maxUnauthenticated?: number;
}

const dayMs = 86_400_000;
/**
 * Reports that are deleted in one transaction: so few that a write of the intake is
 * delayed by milliseconds only.
 */
const batch = 200;
/**
 * Stores the digest of a counted report, so that a copy that arrives after its rows were
 * deleted does not count again.
 */
const remember = `INSERT INTO report_pruned (digest, day, authenticated)
  SELECT digest, coalesce(day, received_at / 86400000 - 1), CASE WHEN trust IN ('signed', 'given') THEN 1 ELSE 0 END
  FROM report WHERE id = ? AND counted = 1
  ON CONFLICT (digest) DO NOTHING`;

/**
 * Deletes reports beyond their time or number in short transactions, between which the
 * event loop and other writes run, and resolves to their number. The daily sums and the
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
  /** The oldest ones first, which have the lowest numbers. */
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
 * Returns the time before which unauthenticated reports are deleted, in milliseconds: the
 * end of the newest day on which, with all later days, more arrived than the limit. 0:
 * none are deleted.
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

/** Deletes a report with its parts, and notes the policy texts that it used. */
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

/** Reports whose policies are examined in one step. */
const STEP = 1000;

/** Deletes the texts that no policy uses any more, all in one write. */
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
