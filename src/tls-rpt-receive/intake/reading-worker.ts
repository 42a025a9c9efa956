import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { KeyAnswer } from '../verify/check-signature.js';
import { verifyByKeys } from '../verify/verify-dkim.js';
import { judgeItem, type ItemTask, type JudgedPart } from './judge-item.js';

/**
 * A message from the main thread: an item to read, a request for more parts, or the
 * answer to a key lookup.
 */
export type ToWorker =
  | { readonly kind: 'task'; readonly task: ItemTask }
  | { readonly kind: 'more' }
  | { readonly kind: 'keys'; readonly id: number; readonly answer: KeyAnswer };

/**
 * A message to the main thread: the code is loaded, a key is needed, or a batch of parts.
 * The main thread requests each further batch.
 */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ask-keys'; readonly id: number; readonly name: string }
  | { readonly kind: 'parts'; readonly parts: readonly JudgedPart[]; readonly last: boolean };

const MAX_BATCH = 50;
/**
 * The niceness of this thread, which lowers its priority: mail servers wait for the main
 * thread.
 */
const NICENESS = 10;

const port = parentPort;
if (port) {
  yieldToMainThread();
  const asked = new Map<number, (keyAnswer: KeyAnswer) => void>();
  let next = 0;
  let goOn: (() => void) | undefined;
  const send = (message: FromWorker): void => port.postMessage(message);
  const lookupKeys = (name: string): Promise<KeyAnswer> =>
    new Promise((resolve) => {
      const requestId = next++;
      asked.set(requestId, resolve);
      send({ kind: 'ask-keys', id: requestId, name });
    });
  const read = async (itemTask: ItemTask): Promise<void> => {
    const judgedParts = await judgeItem(itemTask, (rawMessage) =>
      verifyByKeys(rawMessage, lookupKeys, itemTask.at),
    );
    for (let from = 0, last = false; !last; from += MAX_BATCH) {
      last = from + MAX_BATCH >= judgedParts.length;
      send({ kind: 'parts', parts: judgedParts.slice(from, from + MAX_BATCH), last });
      if (!last) await new Promise<void>((resolve) => (goOn = resolve));
    }
  };
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'task') void read(message.task);
    else if (message.kind === 'more') goOn?.();
    else {
      asked.get(message.id)?.(message.answer);
      asked.delete(message.id);
    }
  });
  send({ kind: 'ready' });
}

/** Lowers the priority of this thread if that is possible. */
function yieldToMainThread(): void {
  // On systems other than Linux, setpriority(2) applies to the whole process (section "C
  // library/kernel differences").
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // A sandbox may forbid the call: the thread then keeps its priority.
  }
}
