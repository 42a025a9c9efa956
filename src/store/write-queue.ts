import { isHermeticError, type HermeticError } from '../base/index.js';
import { isStoreFailure, storeError } from './failures.js';

/**
 * The work of a write: its result, or a generator that yields between steps and returns
 * the result. A step should take a few milliseconds; between two steps the event loop may
 * run.
 */
export type Work<T> = T | Generator<unknown, T>;

/** The writing state of one job. */
export interface JobWrites {
  readonly job: string;
  /** Writes that are durable. */
  readonly written: number;
  /** Writes that failed because of the database, not of the work itself. */
  readonly failed: number;
  /**
   * The cause of the failure of the last write; undefined after a write that succeeded.
   */
  readonly failure: HermeticError | undefined;
}

/** The transaction in which the queue writes. */
export interface TransactionPort {
  /** Takes the write lock, or throws `store-busy` at once. */
  begin(): void;
  /** Makes all writes since `begin` visible. The data are durable after the next sync. */
  commit(): void;
  /** Resolves when all committed data are durable. */
  sync(): Promise<void>;
  /** Makes all committed data durable before the call returns. */
  syncNow(): void;
  /** Rolls back the open transaction, if any, and counts a rollback in any case. */
  rollback(): void;
  /** Undoes all writes since the savepoint of that name. */
  rollbackTo(savepoint: string): void;
  execute(sql: string): void;
  readonly isTransaction: boolean;
}

export interface WriteQueueOptions {
  /** Milliseconds that a write waits for a lock of another process. Default 5 000. */
  readonly waitMs?: number;
  /**
   * Receives the state of a job when its writes begin to fail, fail for another reason,
   * or succeed again.
   */
  readonly onChange?: (jobWrites: JobWrites) => void;
}

interface Entry {
  readonly job: Job;
  readonly work: () => Work<unknown>;
  readonly deadline: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  steps?: Generator<unknown, unknown>;
  /** Whether the savepoint of the write is open. */
  begun?: boolean;
  result?: unknown;
}

interface Job {
  readonly job: string;
  readonly waiting: Entry[];
  written: number;
  failed: number;
  failure: HermeticError | undefined;
}

/** Milliseconds of work in one turn of the event loop. */
const TURN = 10;
/**
 * Milliseconds between two attempts to take the write lock: the pause doubles from
 * `first` to at most `longest`.
 */
const PAUSES = { first: 2, longest: 50 } as const;
/** Maximum number of waiting writes of all jobs. */
const MAX_WAITING = 10_000;

/**
 * The queue of all writes of a process. Jobs take turns, one write each. Writes of one
 * turn share a transaction and so one wait for the disk, and only a write that throws is
 * undone. The queue waits for a lock of another process without blocking the event loop;
 * after `waitMs` the write fails with `store-busy`.
 */
export class WriteQueue {
  readonly #jobs = new Map<string, Job>();
  readonly #idle: (() => void)[] = [];
  #waiting = 0;
  /** The write that continues in the next turn. */
  #current: Entry | undefined;
  /**
   * Writes that are committed, and reported once they are durable. During this sync
   * nothing is written: new writes join the next commit, and share its sync.
   */
  #unsynced: readonly Entry[] | undefined;
  #planned: NodeJS.Immediate | NodeJS.Timeout | undefined;
  #pause: number = PAUSES.first;
  #stepping = false;

  constructor(
    private readonly port: TransactionPort,
    private readonly options: WriteQueueOptions = {},
  ) {}

  /**
   * Returns whether a transaction of the queue is open while other code runs: that code
   * must not write into this transaction.
   */
  get suspended(): boolean {
    return this.#current !== undefined && !this.#stepping && this.port.isTransaction;
  }

  get jobs(): readonly JobWrites[] {
    return [...this.#jobs.values()];
  }

  /**
   * Resolves with the result of `work` once it is durable; rejects with its error, or
   * with a failure of the store.
   */
  write<T>(jobName: string, work: () => Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const job = this.#job(jobName);
      const { waitMs = 5000 } = this.options;
      const deadline = performance.now() + waitMs;
      const entry: Entry = { job, work, deadline, resolve, reject };
      if (this.#waiting >= MAX_WAITING)
        return this.#fail([entry], storeError('store-busy', `${jobName}: too many pending writes`));
      job.waiting.push(entry);
      this.#waiting++;
      this.#planned ??= setImmediate(this.#turn);
    });
  }

  /** Resolves when no write is queued. */
  settle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /**
   * Performs the writes that are possible at once; rejects those that another process's
   * lock forbids.
   */
  close(): void {
    while (!this.#isIdle()) {
      this.#unplan();
      if (this.#unsynced) this.#syncNow(this.#unsynced);
      else if (!this.#writeGroup(Infinity))
        this.#giveUp(Infinity, storeError('store-busy', 'closing'));
    }
    this.#unplan();
  }

  readonly #turn = (): void => {
    this.#planned = undefined;
    if (this.#unsynced) return;
    const began = this.#writeGroup(performance.now() + TURN);
    if (began) this.#pause = PAUSES.first;
    if (this.#unsynced) return;
    if (this.#isIdle()) return this.#reportIdle();
    if (began) {
      this.#planned ??= setImmediate(this.#turn);
      return;
    }
    this.#planned ??= setTimeout(this.#turn, this.#pause);
    this.#pause = Math.min(PAUSES.longest, this.#pause * 2);
  };

  /**
   * Runs one transaction, or the part of a transaction that fits into this turn. Returns
   * false if another process holds the lock.
   */
  #writeGroup(until: number): boolean {
    if (!this.port.isTransaction)
      try {
        this.port.begin();
      } catch (error) {
        if (isStoreFailure(error, 'store-busy')) this.#giveUp(performance.now(), error);
        else this.#giveUp(Infinity, error);
        return !isStoreFailure(error, 'store-busy');
      }
    const done: Entry[] = [];
    for (let entry = this.#next(); entry; entry = this.#next()) {
      this.#current = entry;
      const ended = this.#advance(entry, done, until);
      if (ended === 'suspended') return true;
      this.#current = ended === 'alone' ? entry : undefined;
      if (ended === 'alone' || !this.port.isTransaction || performance.now() >= until) break;
    }
    this.#commit(done);
    return true;
  }

  /**
   * Runs a write until it ends or its time limit expires. `alone`: the write runs in
   * steps and must not delay completed writes, so it gets a separate transaction.
   */
  #advance(entry: Entry, done: Entry[], until: number): 'ended' | 'suspended' | 'alone' {
    this.#stepping = true;
    try {
      if (!entry.begun) this.port.execute('SAVEPOINT write');
      entry.begun = true;
      if (!entry.steps) {
        const result = entry.work();
        if (!isGenerator(result)) entry.result = result;
        else {
          entry.steps = result;
          if (done.length > 0) {
            entry.begun = false;
            return 'alone';
          }
        }
      }
      while (entry.steps) {
        const step = entry.steps.next();
        if (step.done === true) {
          entry.result = step.value;
          break;
        }
        if (performance.now() >= until) return 'suspended';
      }
      this.port.execute('RELEASE write');
      done.push(entry);
    } catch (error) {
      this.#undo(entry, done, error);
    } finally {
      this.#stepping = false;
    }
    return 'ended';
  }

  /**
   * Undoes one write. A full disk may have ended the whole transaction, which undoes the
   * earlier writes too.
   */
  #undo(entry: Entry, done: Entry[], error: unknown): void {
    try {
      if (this.port.isTransaction) this.port.rollbackTo('write');
    } catch {
      this.port.rollback();
    }
    this.#fail(this.port.isTransaction ? [entry] : [entry, ...done.splice(0)], error);
  }

  #commit(done: readonly Entry[]): void {
    try {
      if (this.port.isTransaction) this.port.commit();
    } catch (error) {
      this.port.rollback();
      return this.#fail(done, error);
    }
    if (done.length === 0) return;
    this.#unsynced = done;
    this.port.sync().then(
      () => this.#end(done, () => this.#acknowledge(done)),
      (error: unknown) => this.#end(done, () => this.#void(done, error)),
    );
  }

  #syncNow(done: readonly Entry[]): void {
    try {
      this.port.syncNow();
    } catch (error) {
      return this.#end(done, () => this.#void(done, error));
    }
    this.#end(done, () => this.#acknowledge(done));
  }

  /**
   * Fails writes that are visible but not durable, since caches must not rely on these
   * writes.
   */
  #void(done: readonly Entry[], error: unknown): void {
    this.port.rollback();
    this.#fail(done, error);
  }

  /**
   * Calls `report` once, after the first sync that ends, and continues with the queue.
   */
  #end(done: readonly Entry[], report: () => void): void {
    if (this.#unsynced !== done) return;
    this.#unsynced = undefined;
    report();
    if (this.#isIdle()) this.#reportIdle();
    else this.#planned ??= setImmediate(this.#turn);
  }

  #acknowledge(done: readonly Entry[]): void {
    for (const { job, resolve, result } of done) {
      job.written++;
      this.#note(job, undefined);
      resolve(result as never);
    }
  }

  #reportIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #next(): Entry | undefined {
    if (this.#current) return this.#current;
    for (const [jobName, job] of this.#jobs) {
      const entry = job.waiting.shift();
      if (!entry) continue;
      this.#waiting--;
      // Moves the job behind the other jobs, so that the jobs take turns.
      this.#jobs.delete(jobName);
      this.#jobs.set(jobName, job);
      return entry;
    }
    return undefined;
  }

  /** Fails every write whose deadline has passed at the given time. */
  #giveUp(instant: number, error: unknown): void {
    const over: Entry[] = [];
    if (this.#current && this.#current.deadline <= instant) {
      over.push(this.#current);
      this.#current = undefined;
    }
    for (const { waiting } of this.#jobs.values())
      // The oldest write is first, so its deadline is the earliest.
      while (waiting[0] && waiting[0].deadline <= instant) {
        over.push(...waiting.splice(0, 1));
        this.#waiting--;
      }
    this.#fail(over, error);
  }

  #fail(entries: readonly Entry[], error: unknown): void {
    for (const { job, reject } of entries) {
      if (isHermeticError(error) && isStoreFailure(error)) {
        job.failed++;
        this.#note(job, error);
      }
      reject(error);
    }
  }

  #note(job: Job, failure: HermeticError | undefined): void {
    const changed = job.failure?.code !== failure?.code;
    job.failure = failure;
    if (changed) this.options.onChange?.(job);
  }

  #job(jobName: string): Job {
    const known = this.#jobs.get(jobName);
    if (known) return known;
    const job: Job = { job: jobName, waiting: [], written: 0, failed: 0, failure: undefined };
    this.#jobs.set(jobName, job);
    return job;
  }

  #isIdle(): boolean {
    return this.#waiting === 0 && !this.#current && !this.#unsynced;
  }

  #unplan(): void {
    clearImmediate(this.#planned as NodeJS.Immediate | undefined);
    clearTimeout(this.#planned as NodeJS.Timeout | undefined);
    this.#planned = undefined;
  }
}

function isGenerator(value: unknown): value is Generator<unknown, unknown> {
  return Object.prototype.toString.call(value) === '[object Generator]';
}
