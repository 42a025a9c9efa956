import { setMaxListeners } from 'node:events';

/**
 * A signal that aborts when any of the given ones does, for work in which very many
 * listen: Node takes more than ten listeners for a leak, and says so.
 */
export function followSignal(...signals: readonly AbortSignal[]): AbortSignal {
  const own = AbortSignal.any([...signals]);
  setMaxListeners(0, own);
  return own;
}
