/**
 * Runs `work` for every item, at most `limit` at the same time, and returns the results
 * in the order of the items. Rejects with the first error; items that have not started by
 * then are never started. A slow item delays other items only if `limit` items are
 * already running.
 */
export async function mapConcurrent<Item, Output>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, index: number) => Promise<Output>,
): Promise<Output[]> {
  const results: Output[] = [];
  const queue = items.entries();
  let failed = false;
  // All workers share one iterator, so each entry is processed exactly once.
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed) return;
      results[index] = await work(item, index);
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, () =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  await Promise.all(lanes);
  return results;
}
