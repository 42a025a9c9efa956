/**
 * Returns a function that gives each caller a separate turn of the event loop: between
 * two expensive pieces of work, clients of other ports are served.
 */
export function separateTurns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => (last = last.then(() => new Promise((resolve) => setImmediate(resolve))));
}
