import { scanNumbered, scanProgress, type Database, type ScanProgress } from '../../scan/index.js';
import { formatJson, type Output } from '../output.js';
import { progressJson, ratesBetween, renderProgress } from './render-progress.js';

const REDRAW_MS = 1000;
const LINE_MS = 10_000;
/**
 * Milliseconds between two reads of the state: a scan of a few domains ends within
 * seconds.
 */
const LOOK_MS = 500;
/**
 * Counting all rows of a scan is slow: the next count follows after this multiple of the
 * duration of the last count.
 */
const PAUSE_FACTOR = 20;

/**
 * Shows the progress of a scan on standard error until it ends or `signal` aborts: a page
 * that is redrawn on a terminal, else one line of JSON every ten seconds. Returns the last
 * progress.
 */
export async function followScan(
  database: Database,
  id: number,
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
): Promise<ScanProgress> {
  const pace = output.interactive ? REDRAW_MS : LINE_MS;
  let shown = await scanProgress(database, id);
  let shownAt = performance.now();
  let height = 0;
  let lookMs = 0;
  for (;;) {
    const ended = shown.scan.state !== 'running' || signal.aborted;
    if (ended) break;
    const pausedAt = performance.now();
    do await pause(LOOK_MS, signal);
    while (
      performance.now() - pausedAt < PAUSE_FACTOR * lookMs &&
      !signal.aborted &&
      (await isRunning(database, id))
    );
    const askedAt = performance.now();
    const state = await scanProgress(database, id).catch(() => shown);
    lookMs = performance.now() - askedAt;
    const elapsed = performance.now() - shownAt;
    if (elapsed < pace && state.scan.state === 'running') continue;
    const lines = output.interactive
      ? renderProgress(state, {
          now: Date.now(),
          rates: ratesBetween(shown, state, elapsed),
          width: output.width,
        })
      : [formatJson(progressJson(state))];
    const up = output.interactive && height > 0 ? `\x1b[${height}A\x1b[J` : '';
    output.err(`${up}${lines.join('\n')}\n`);
    height = lines.length;
    [shown, shownAt] = [state, performance.now()];
  }
  return shown;
}

/**
 * Returns whether the scan runs; true while the database is unreachable, because the scan
 * may continue.
 */
async function isRunning(database: Database, id: number): Promise<boolean> {
  const scan = await scanNumbered(database, id).catch(() => undefined);
  return (scan?.state ?? 'running') === 'running';
}

/** Waits for some milliseconds; an abort ends the pause at once. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(finish, milliseconds);
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    }
    signal.addEventListener('abort', finish, { once: true });
  });
}
