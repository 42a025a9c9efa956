import { Worker } from 'node:worker_threads';
import { claimedSize, reportFailures } from '../../tls-rpt/index.js';
import type { DkimVerdict } from '../types.js';
import { verifyByKeys, type LookupKeys } from '../verify/verify-dkim.js';
import { judgeItem, type ItemTask, type JudgedPart } from './judge-item.js';
import type { FromWorker, ToWorker } from './reading-worker.js';

/** The key lookup and the limits of the thread that reads large items. */
export interface ItemReaderOptions {
  /** Looks up DKIM keys. */
  readonly keys: LookupKeys;
  /** Milliseconds that one item may take. Default 60 000. */
  readonly deadlineMs?: number;
  /** Milliseconds until a thread without work ends. Default 10 000. */
  readonly idleMs?: number;
}

/**
 * Maximum octets, packed and unpacked, of a small item: one that the main thread reads
 * itself in a few milliseconds.
 */
const SMALL = 32 * 1024;
const SMALL_UNPACKED = 64 * 1024;
/** Maximum number of reports in a small item. */
const FEW = 50;
/** Maximum octets, packed and unpacked, of all items that wait for the thread. */
const MAX_WAITING = 200_000_000;
/**
 * Maximum mebibytes of the thread's heap. The largest report needs less than a hundred.
 * The small young generation makes reading a third slower and saves forty mebibytes.
 */
const HEAP = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4 };

interface Waiting {
  readonly reader: ItemReader;
  readonly task: ItemTask;
  readonly size: number;
  /** Resolves the caller's promise; undefined if the item could not be read now. */
  readonly resolve: (judgedParts: readonly JudgedPart[] | undefined) => void;
}

/**
 * Reads items without blocking the event loop: small items at once, others in a separate
 * thread.
 */
export class ItemReader {
  constructor(readonly options: ItemReaderOptions) {
    shared.open(this);
  }

  /**
   * Reads an item and resolves to its parts; undefined if the queue is full. Never
   * rejects.
   */
  async read(itemTask: ItemTask): Promise<readonly JudgedPart[] | undefined> {
    if (itemTask.bytes.length <= SMALL && claimedSize(itemTask.bytes) <= SMALL_UNPACKED) {
      const judgedParts = await judgeItem(
        {
          ...itemTask,
          maxBytes: Math.min(itemTask.maxBytes ?? Infinity, SMALL_UNPACKED),
          maxReports: FEW,
        },
        (rawMessage): Promise<DkimVerdict> =>
          verifyByKeys(rawMessage, this.options.keys, itemTask.at),
      );
      if (!judgedParts.some(isBeyondSmall)) return judgedParts;
    }
    return shared.read(this, itemTask);
  }

  /**
   * Discards the unread items of this reader. The last reader that closes also ends the
   * thread.
   */
  close(): Promise<void> {
    return shared.close(this);
  }
}

/**
 * A thread for all readers of the process, which reads one item at a time. During a
 * reload a new reader is open while the previous one still has work, and two threads
 * would need twice the memory. The thread starts with the first item and ends when there
 * is no work.
 */
class SharedThread {
  readonly #readers = new Set<ItemReader>();
  #waiting: Waiting[] = [];
  #size = 0;
  #current: Waiting | undefined;
  #thread: ReadingThread | undefined;
  #idle: NodeJS.Timeout | undefined;

  open(itemReader: ItemReader): void {
    this.#readers.add(itemReader);
  }

  read(itemReader: ItemReader, itemTask: ItemTask): Promise<readonly JudgedPart[] | undefined> {
    const byteCount = Math.min(claimedSize(itemTask.bytes), 10_000_000) + itemTask.bytes.length;
    if (this.#size + byteCount > MAX_WAITING || !this.#readers.has(itemReader))
      return Promise.resolve(undefined);
    this.#size += byteCount;
    return new Promise((resolve) => {
      this.#waiting.push({ reader: itemReader, task: itemTask, size: byteCount, resolve });
      if (!this.#current) void this.#work();
    });
  }

  async close(itemReader: ItemReader): Promise<void> {
    this.#readers.delete(itemReader);
    const given = this.#waiting.filter((one) => one.reader === itemReader);
    this.#waiting = this.#waiting.filter((one) => one.reader !== itemReader);
    for (const one of given) this.#settle(one, undefined);
    if (this.#current?.reader === itemReader || this.#readers.size === 0) await this.#end();
  }

  async #work(): Promise<void> {
    clearTimeout(this.#idle);
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#current = next;
      const { keys, deadlineMs = 60_000 } = next.reader.options;
      this.#thread ??= new ReadingThread();
      const judgedParts = await this.#thread.read(next.task, { keys, deadlineMs });
      if (judgedParts === undefined) await this.#end();
      this.#settle(next, judgedParts ?? this.#tooComplex(next));
    }
    const idleMs = this.#current?.reader.options.idleMs ?? 10_000;
    this.#current = undefined;
    this.#idle = setTimeout(() => void this.#end(), idleMs).unref();
  }

  /**
   * Returns the refusal of an item that needed too much work. If its reader was closed
   * meanwhile, returns undefined, so that the sender may try again.
   */
  #tooComplex({ reader }: Waiting): readonly JudgedPart[] | undefined {
    if (!this.#readers.has(reader)) return undefined;
    return [{ failure: reportFailures.make('report-too-complex', 'too much work') }];
  }

  #settle(one: Waiting, judgedParts: readonly JudgedPart[] | undefined): void {
    this.#size -= one.size;
    one.resolve(judgedParts);
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const readingThread = this.#thread;
    this.#thread = undefined;
    await readingThread?.end();
  }
}

const shared = new SharedThread();

/**
 * Returns whether an item exceeded a limit of small items, so that the thread must read
 * it.
 */
function isBeyondSmall(judgedPart: JudgedPart): boolean {
  return (
    'failure' in judgedPart &&
    (judgedPart.failure.code === 'report-too-large' ||
      judgedPart.failure.code === 'report-too-complex')
  );
}

/** A worker thread that reads one item at a time. */
class ReadingThread {
  readonly #worker: Worker;
  #parts: JudgedPart[] = [];
  #keys: LookupKeys = () => Promise.resolve({ lookup: 'failed' });
  #settle: ((judgedParts: readonly JudgedPart[] | undefined) => void) | undefined;
  /** Resolves when the thread can read. The deadline of an item begins only then. */
  readonly #ready: Promise<void>;
  #becomeReady: () => void = () => undefined;

  constructor() {
    this.#ready = new Promise((resolve) => (this.#becomeReady = resolve));
    this.#worker = new Worker(new URL('./reading-worker.js', import.meta.url), {
      resourceLimits: HEAP,
      execArgv: [],
    });
    this.#worker
      .on('message', (message: FromWorker) => this.#take(message))
      // The thread failed, for example because it had no memory left.
      .on('error', () => this.#settle?.(undefined))
      .on('exit', () => this.#settle?.(undefined));
    this.#worker.unref();
  }

  /**
   * Resolves to the parts of an item; undefined if the item needed more time or memory
   * than any report.
   */
  read(
    task: ItemTask,
    { keys, deadlineMs }: { readonly keys: LookupKeys; readonly deadlineMs: number },
  ): Promise<readonly JudgedPart[] | undefined> {
    this.#keys = keys;
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      this.#worker.ref();
      this.#settle = (judgedParts) => {
        clearTimeout(timer);
        this.#worker.unref();
        this.#settle = undefined;
        resolve(judgedParts);
      };
      const settle = this.#settle;
      void this.#ready.then(() => {
        if (this.#settle !== settle) return;
        timer = setTimeout(() => this.#settle?.(undefined), deadlineMs);
        this.#send({ kind: 'task', task });
      });
      this.#parts = [];
    });
  }

  async end(): Promise<void> {
    this.#settle?.(undefined);
    await this.#worker.terminate();
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromWorker): void {
    if (message.kind === 'ready') return this.#becomeReady();
    if (message.kind === 'ask-keys') {
      const answer = this.#keys(message.name).catch(() => ({ lookup: 'failed' }) as const);
      void answer.then((found) => this.#send({ kind: 'keys', id: message.id, answer: found }));
      return;
    }
    this.#parts.push(...message.parts);
    if (message.last) this.#settle?.(this.#parts);
    else setImmediate(() => this.#send({ kind: 'more' }));
  }
}
