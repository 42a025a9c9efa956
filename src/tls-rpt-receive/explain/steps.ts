/**
 * A generator that works and yields between its steps, so that the event loop of a daemon
 * can run.
 */
export type Steps<T> = Generator<undefined, T>;

/** Milliseconds of work in one turn of the event loop. */
const TURN = 10;

/** Maximum number of items that one step sorts or merges. */
const SORTED = 2000;

/**
 * Runs all steps without a pause, for a process that serves no clients. Returns the
 * result.
 */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Runs steps for ten milliseconds in each turn of the event loop. Resolves to the result,
 * or rejects with the error of a step.
 */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (let until = performance.now() + TURN; ;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + TURN;
  }
}

/** Returns the items in the same order as `toSorted`, in steps of some thousand items. */
export function* sortedInSteps<Item>(
  items: readonly Item[],
  compare: (left: Item, right: Item) => number,
): Steps<readonly Item[]> {
  let runs: (readonly Item[])[] = [];
  for (let start = 0; start < items.length; start += SORTED) {
    if (start > 0) yield;
    runs.push(items.slice(start, start + SORTED).sort(compare));
  }
  while (runs.length > 1) {
    const merged: (readonly Item[])[] = [];
    for (let index = 0; index < runs.length; index += 2)
      merged.push(yield* mergedInSteps(runs[index] ?? [], runs[index + 1] ?? [], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

/** Merges two sorted lists. Of equal items, those of the left list come first. */
function* mergedInSteps<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compare: (left: Item, right: Item) => number,
): Steps<readonly Item[]> {
  const merged: Item[] = [];
  let [l, r] = [0, 0];
  while (l < left.length && r < right.length) {
    const isLeft = compare(left[l] as Item, right[r] as Item) <= 0;
    merged.push((isLeft ? left[l++] : right[r++]) as Item);
    if (merged.length % SORTED === 0) yield;
  }
  while (l < left.length) merged.push(left[l++] as Item);
  while (r < right.length) merged.push(right[r++] as Item);
  return merged;
}
