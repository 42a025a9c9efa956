import type { Store } from './open-store.js';
import type { Work } from './write-queue.js';

export interface GroupCommitOptions<Item, Result> {
  readonly store: Store;
  /** The job to which the write belongs. */
  readonly job: string;
  /**
   * Writes items in order and returns a result for each. The function runs inside one
   * transaction; `Store.write` describes long transactions.
   */
  write(items: readonly Item[]): Work<readonly Result[]>;
  /** Maximum number of items in one transaction. Default 1 000. */
  readonly maxItems?: number;
}

/**
 * Writes the items of many callers in one transaction, so that they share one wait for
 * the disk. While a group is written or waits for a lock, further items form the next
 * group, so groups grow with the load. A caller's promise resolves when its item is
 * durable, and rejects with the error of `write` or the failure of the store.
 */
export function groupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { store, job, write, maxItems = 1000 } = options;
  const waiting: Waiting<Item, Result>[] = [];
  let planned = false;
  const flush = async (): Promise<void> => {
    let group: Waiting<Item, Result>[] | undefined;
    try {
      const results = await store.write(job, () => {
        group = waiting.splice(0, maxItems);
        planned = false;
        plan();
        return write(group.map(({ item }) => item));
      });
      group?.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      if (!group) {
        // If the transaction did not begin, every collected item fails.
        planned = false;
        group = waiting.splice(0);
      }
      for (const { reject } of group) reject(error);
    }
  };
  const plan = (): void => {
    if (planned || waiting.length === 0) return;
    planned = true;
    void flush();
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      plan();
    });
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}
