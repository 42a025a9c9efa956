import { Worker } from 'node:worker_threads';
import { claimedSize, reportFailures } from '../../tls-rpt/index.js';
import type { DkimVerdict } from '../types.js';
import { verifyByKeys, type LookupKeys } from '../verify/verify-dkim.js';
import { judgeItem, type ItemTask, type JudgedPart } from './judge-item.js';
import type { FromWorker, ToWorker } from './reading-worker.js';

export interface ItemReaderOptions {
  /** Looks up DKIM keys. */
  readonly keys: LookupKeys;
  /** Milliseconds that one item may take. Default 60 000. */
  readonly deadlineMs?: number;
  /** Milliseconds until a thread without work ends. Default 10 000. */
  readonly idleMs?: number;
}

/** Octets of an item that is read at once, packed and unpacked: a few milliseconds of work. */
const SMALL = 32 * 1024;
const SMALL_UNPACKED = 64 * 1024;
/** Reports in such an item. */
const FEW = 50;
/** Octets, as their wrapping claims, of all items that wait for the thread. */
const MAX_WAITING = 200_000_000;
/** Mebibytes of the thread's heap: the largest report takes half of them. */
const MAX_HEAP = 192;

interface Waiting {
  readonly task: ItemTask;
  readonly size: number;
  readonly resolve: (parts: readonly JudgedPart[]) => void;
}

/**
 * Reads items without holding up the event loop: small ones at once, others in a thread, one
 * after the other. The thread starts with the first of them and ends when there is no work.
 */
export class ItemReader {
  readonly #waiting: Waiting[] = [];
  #size = 0;
  #thread: ReadingThread | undefined;
  #busy = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(private readonly options: ItemReaderOptions) {}

  /** Resolves to the parts of an item; undefined: too much waits already. Never rejects. */
  async read(task: ItemTask): Promise<readonly JudgedPart[] | undefined> {
    if (task.bytes.length <= SMALL && claimedSize(task.bytes) <= SMALL_UNPACKED) {
      const parts = await judgeItem(
        { ...task, maxBytes: Math.min(task.maxBytes ?? Infinity, SMALL_UNPACKED), maxReports: FEW },
        (mail): Promise<DkimVerdict> => verifyByKeys(mail, this.options.keys, task.at),
      );
      if (!parts.some(isBeyondSmall)) return parts;
    }
    return this.#readInThread(task);
  }

  /** Ends the thread. What it was reading is refused. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    await this.#thread?.end();
    this.#thread = undefined;
  }

  #readInThread(task: ItemTask): Promise<readonly JudgedPart[] | undefined> {
    const size = Math.min(claimedSize(task.bytes), 10_000_000) + task.bytes.length;
    if (this.#size + size > MAX_WAITING) return Promise.resolve(undefined);
    this.#size += size;
    return new Promise((resolve) => {
      this.#waiting.push({ task, size, resolve });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#idle);
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { keys, deadlineMs = 60_000 } = this.options;
      this.#thread ??= new ReadingThread(keys);
      const parts = await this.#thread.read(next.task, deadlineMs);
      if (parts === undefined) {
        await this.#thread.end();
        this.#thread = undefined;
      }
      this.#size -= next.size;
      next.resolve(
        parts ?? [{ failure: reportFailures.make('report-too-complex', 'too much work') }],
      );
    }
    this.#busy = false;
    this.#idle = setTimeout(() => void this.close(), this.options.idleMs ?? 10_000).unref();
  }
}

/** Whether a limit of small items was met, so that the whole limits apply. */
function isBeyondSmall(part: JudgedPart): boolean {
  return (
    'failure' in part &&
    (part.failure.code === 'report-too-large' || part.failure.code === 'report-too-complex')
  );
}

/** One worker thread, which reads one item at a time. */
class ReadingThread {
  readonly #worker: Worker;
  #parts: JudgedPart[] = [];
  #settle: ((parts: readonly JudgedPart[] | undefined) => void) | undefined;

  constructor(keys: LookupKeys) {
    this.#worker = new Worker(new URL('./reading-worker.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP },
      execArgv: [],
    });
    this.#worker
      .on('message', (message: FromWorker) => this.#take(message, keys))
      // Out of memory, for example.
      .on('error', () => this.#settle?.(undefined))
      .on('exit', () => this.#settle?.(undefined));
    this.#worker.unref();
  }

  /** Resolves to undefined where the item took more time or memory than any report. */
  read(task: ItemTask, deadlineMs: number): Promise<readonly JudgedPart[] | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle?.(undefined), deadlineMs);
      this.#worker.ref();
      this.#settle = (parts) => {
        clearTimeout(timer);
        this.#worker.unref();
        this.#settle = undefined;
        resolve(parts);
      };
      this.#parts = [];
      this.#send({ kind: 'task', task });
    });
  }

  async end(): Promise<void> {
    this.#settle?.(undefined);
    await this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromWorker, keys: LookupKeys): void {
    if (message.kind === 'ask-keys') {
      const answer = keys(message.name).catch(() => ({ lookup: 'failed' }) as const);
      void answer.then((found) => this.#send({ kind: 'keys', id: message.id, answer: found }));
      return;
    }
    this.#parts.push(...message.parts);
    if (message.last) this.#settle?.(this.#parts);
    else setImmediate(() => this.#send({ kind: 'more' }));
  }
}
