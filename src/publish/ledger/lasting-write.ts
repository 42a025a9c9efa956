import { setTimeout as sleep } from 'node:timers/promises';
import { isStoreFailure, type Store } from '../../store/index.js';
import { PUBLISHING } from '../config.js';

/** Runs a write and resolves with its result once it is durable. */
export type LastingWrite = <T>(work: () => T) => Promise<T>;

/** Milliseconds that a write waits for the lock of another process. */
const MAX_LOCK_WAIT = 5 * 60_000;
/** Milliseconds between two attempts. Other writes of the queue run in between. */
const PAUSE = 100;

/**
 * Returns the function through which publishing writes to the database: it uses the queue
 * of writes, and retries while another process holds the lock. A write often records what
 * a CA or a name server has already accepted, so a short wait must not lose it: a lost
 * order would be placed twice. After five minutes, or when the signal aborts, the write
 * fails with `store-busy`, and the next round continues as after a crash.
 */
export function lastingWrite(stateStore: Store, signal?: AbortSignal): LastingWrite {
  return async (work) => {
    const deadline = performance.now() + MAX_LOCK_WAIT;
    for (;;)
      try {
        return await stateStore.write(PUBLISHING, work);
      } catch (error) {
        const isOver = performance.now() >= deadline || signal?.aborted === true;
        if (isOver || !isStoreFailure(error, 'store-busy')) throw error;
        await sleep(PAUSE);
      }
  };
}
