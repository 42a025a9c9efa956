import type { Store } from '../../store/index.js';
import { partIds } from './part-ids.js';

export interface PruneOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Days that reports are kept. */
  readonly keepDays: number;
  /** Days for reports that do not count. Default 30. */
  readonly keepUncountedDays?: number;
  /** Reports that do not count, at most: anybody can send them. Default 100 000. */
  readonly maxUncounted?: number;
}

const dayMs = 86_400_000;
const batch = 1000;

/** Forgets reports beyond their time, a thousand in a transaction; the daily sums stay. Returns their number. */
export function pruneReports(
  store: Store,
  { now, keepDays, keepUncountedDays = 30, maxUncounted = 100_000 }: PruneOptions,
): number {
  const old = 'SELECT id FROM report WHERE received_at < ? LIMIT ?';
  const uncounted = 'SELECT id FROM report WHERE counted = 0 AND received_at < ? LIMIT ?';
  const excess =
    'SELECT id FROM report WHERE counted = 0 ORDER BY received_at DESC LIMIT ? OFFSET ?';
  const removed =
    prune(store, old, now - keepDays * dayMs, batch) +
    prune(store, uncounted, now - keepUncountedDays * dayMs, batch) +
    prune(store, excess, batch, maxUncounted);
  if (removed > 0)
    store.prepare('DELETE FROM report_text WHERE id NOT IN (SELECT text FROM report_policy)').run();
  store.prepare('DELETE FROM report_check WHERE checked_at < ?').run(now - keepDays * dayMs);
  return removed;
}

function prune(store: Store, which: string, ...values: readonly number[]): number {
  for (let removed = 0; ;) {
    const ids = store.prepare<{ id: number }>(which).all(...values);
    if (ids.length === 0) return removed;
    store.transaction(() => {
      for (const { id } of ids) {
        store.prepare('DELETE FROM report_policy WHERE id BETWEEN ? AND ?').run(...partIds(id));
        store.prepare('DELETE FROM report_failure WHERE id BETWEEN ? AND ?').run(...partIds(id));
        store.prepare('DELETE FROM report WHERE id = ?').run(id);
      }
    });
    removed += ids.length;
  }
}
