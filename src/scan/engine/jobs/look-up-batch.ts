import { mapConcurrent } from '../../../base/index.js';

/** Number of names whose records are looked up at the same time. */
const CONCURRENT = 200;

/**
 * Looks up a batch of names, and returns the results in order. Rejects with
 * `signal.reason` as soon as the signal aborts. Running lookups end within their time
 * limits without effect, and no further lookups begin.
 */
export function lookUpBatch<Item, Output>(
  items: readonly Item[],
  signal: AbortSignal,
  lookUp: (item: Item) => Promise<Output>,
): Promise<Output[]> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    mapConcurrent(items, CONCURRENT, (item) => {
      signal.throwIfAborted();
      return lookUp(item);
    })
      .finally(() => signal.removeEventListener('abort', stop))
      .then(resolve, reject);
  });
}
