import type { Store } from '../../store/index.js';
import { partIds } from './part-ids.js';
import { forgetTexts } from './store-reports.js';

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
/** A copy of a counted report that comes after its rows are gone must not count again. */
const remember = `INSERT INTO report_pruned (digest, day, authenticated)
  SELECT digest, coalesce(day, received_at / 86400000 - 1), CASE WHEN trust IN ('signed', 'given') THEN 1 ELSE 0 END
  FROM report WHERE id = ? AND counted = 1
  ON CONFLICT (digest) DO NOTHING`;

/**
 * Deletes reports beyond their time, a thousand in a transaction, and resolves to their number. The
 * daily sums stay, and so do the digests of counted reports.
 */
export async function pruneReports(
  store: Store,
  { now, keepDays, keepUncountedDays = 30, maxUncounted = 100_000 }: PruneOptions,
): Promise<number> {
  const old = 'SELECT id FROM report WHERE received_at < ? LIMIT ?';
  const uncounted = 'SELECT id FROM report WHERE counted = 0 AND received_at < ? LIMIT ?';
  const excess =
    'SELECT id FROM report WHERE counted = 0 ORDER BY received_at DESC LIMIT ? OFFSET ?';
  const removed =
    (await prune(store, old, now - keepDays * dayMs, batch)) +
    (await prune(store, uncounted, now - keepUncountedDays * dayMs, batch)) +
    (await prune(store, excess, batch, maxUncounted));
  await store.write('report', () => {
    const texts = 'DELETE FROM report_text WHERE id NOT IN (SELECT text FROM report_policy)';
    if (removed > 0) {
      store.prepare(texts).run();
      forgetTexts(store);
    }
    store.prepare('DELETE FROM report_check WHERE checked_at < ?').run(now - keepDays * dayMs);
  });
  return removed;
}

async function prune(store: Store, which: string, ...values: readonly number[]): Promise<number> {
  for (let removed = 0; ;) {
    const pruned = await store.write('report', function* () {
      const ids = store.prepare<{ id: number }>(which).all(...values);
      for (const { id } of ids) {
        store.prepare(remember).run(id);
        store.prepare('DELETE FROM report_policy WHERE id BETWEEN ? AND ?').run(...partIds(id));
        store.prepare('DELETE FROM report_failure WHERE id BETWEEN ? AND ?').run(...partIds(id));
        store.prepare('DELETE FROM report WHERE id = ?').run(id);
        yield;
      }
      return ids.length;
    });
    if (pruned === 0) return removed;
    removed += pruned;
  }
}
