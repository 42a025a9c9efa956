import { setMaxListeners } from 'node:events';

/**
 * Runs `work` with a controller that also aborts with any of the signals. After `work`
 * has ended, a long-lived signal holds no reference to it. `AbortSignal.any` never
 * releases that reference (nodejs/node#54614). The function removes the listener limit of
 * these signals, because Node prints a leak warning for more than ten listeners.
 */
export async function followSignals<Output>(
  signals: readonly (AbortSignal | undefined)[],
  work: (controller: AbortController) => Promise<Output>,
): Promise<Output> {
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const following = signals.flatMap((signal) => {
    if (!signal) return [];
    const follow = (): void => own.abort(signal.reason);
    if (signal.aborted) follow();
    setMaxListeners(0, signal);
    signal.addEventListener('abort', follow, { once: true });
    return [{ signal, follow }];
  });
  try {
    return await work(own);
  } finally {
    for (const { signal, follow } of following) signal.removeEventListener('abort', follow);
  }
}
