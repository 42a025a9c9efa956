/**
 * Writes what many callers bring at the same time in one transaction, so that they share one wait for the disk. `write` is given every item that came since
 * the last call, in order, and returns a result for each; it is one transaction of its own. A caller's promise resolves when its item is durable, and rejects
 * with what `write` threw.
 */
export function groupCommit<Item, Result>(
  write: (items: readonly Item[]) => readonly Result[],
  maxItems = 1000,
): (item: Item) => Promise<Result> {
  const waiting: {
    item: Item;
    resolve: (result: Result) => void;
    reject: (reason: unknown) => void;
  }[] = [];
  let planned = false;
  const flush = (): void => {
    const group = waiting.splice(0, maxItems);
    planned = waiting.length > 0;
    if (planned) setImmediate(flush);
    try {
      const results = write(group.map((one) => one.item));
      group.forEach((one, i) => one.resolve(results[i] as Result));
    } catch (error) {
      for (const one of group) one.reject(error);
    }
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (planned) return;
      planned = true;
      // While a group is written, the next one gathers: the busier, the larger the groups.
      setImmediate(flush);
    });
}
