/**
 * Work that yields between its parts, so that the event loop of a daemon can run in
 * between.
 */
export type Steps<T> = Generator<undefined, T>;

/** Milliseconds of work in one turn of the event loop. */
const TURN = 10;

/** Runs all steps now: for a process that serves no clients. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Runs steps for ten milliseconds in each turn of the event loop. Rejects with the error
 * of a step.
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
