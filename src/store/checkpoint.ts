import { Worker } from 'node:worker_threads';

/** Frames from which the log is moved into the database: 16 MB with pages of 8 KB. */
const LONG = 2000;
/** Milliseconds until the next attempt, if readers kept the log in use. */
const PAUSE = 10_000;

/** The result of a checkpoint in the other thread. */
export interface CheckpointResult {
  /** The next write starts the log again from its beginning, or has done so. */
  readonly restarted: boolean;
  /** A sync failed: the content of the log may not be on the disk. */
  readonly syncFailed?: string;
}

interface CheckpointOptions {
  /** The database file. */
  readonly file: string;
  hasFrames(count: number): boolean;
  /** Called when a sync in the other thread failed. */
  onSyncFailure(error: Error): void;
}

/**
 * Moves the log into the database from a separate thread, since that waits for the disk
 * several times. The thread lives for one checkpoint.
 *
 * Its connection shares the SQLite library of this process, and with it the list of
 * locks: closing the connection keeps the locks of the others
 * (https://sqlite.org/howtocorrupt.html, section 2.2.1: the trap is two copies of the
 * library).
 */
export class Checkpointer {
  #running: Promise<void> | undefined;
  #notBefore = 0;

  constructor(private readonly options: CheckpointOptions) {}

  /** Starts a checkpoint if the log is long. To be called after writes. */
  consider(): void {
    if (this.#running || performance.now() < this.#notBefore) return;
    if (!this.options.hasFrames(LONG)) return;
    this.#running = this.#run().finally(() => (this.#running = undefined));
  }

  /** Resolves when no checkpoint runs. */
  settle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async #run(): Promise<void> {
    const { restarted, syncFailed } = await this.#inThread();
    if (!restarted) this.#notBefore = performance.now() + PAUSE;
    if (syncFailed !== undefined) this.options.onSyncFailure(new Error(syncFailed));
  }

  #inThread(): Promise<CheckpointResult> {
    return new Promise((resolve) => {
      let checkpointResult: CheckpointResult = { restarted: false };
      const worker = new Worker(new URL('./checkpoint-thread.js', import.meta.url), {
        workerData: this.options.file,
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
      });
      worker
        .on('message', (message: CheckpointResult) => (checkpointResult = message))
        // The log stays unchanged: the next checkpoint moves it.
        .on('error', () => undefined)
        .on('exit', () => resolve(checkpointResult));
    });
  }
}
