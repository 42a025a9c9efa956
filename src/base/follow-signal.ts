import { setMaxListeners } from 'node:events';

/**
 * Returns a signal that aborts when any of the given signals does. Unlike the given ones
 * it accepts any number of listeners: Node prints a leak warning for more than ten.
 */
export function followSignal(...signals: readonly AbortSignal[]): AbortSignal {
  const own = AbortSignal.any([...signals]);
  setMaxListeners(0, own);
  return own;
}
