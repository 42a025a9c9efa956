/**
 * Returns a function that gives each caller a separate turn of the event loop: the daemon
 * can then serve clients of other ports between two expensive tasks.
 */
export function separateTurns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => (last = last.then(() => new Promise((resolve) => setImmediate(resolve))));
}
