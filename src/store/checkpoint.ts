import { Worker } from 'node:worker_threads';

/**
 * Number of frames at which the log is moved into the database: 16 MB with pages of 8 KB.
 */
const LONG = 2000;
/** Milliseconds until the next attempt, if readers kept the log in use. */
const PAUSE = 10_000;

/** The result of a checkpoint in the other thread. */
export interface CheckpointResult {
  /** The next write restarts the log from its beginning, or has already restarted it. */
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
 * Moves the log into the database from a separate thread, since the move waits for the
 * disk several times. The thread lives for one checkpoint.
 *
 * Its connection shares the SQLite library of this process, and therefore the list of
 * locks: closing the connection does not release the locks of other connections
 * (https://sqlite.org/howtocorrupt.html, section 2.2.1: two copies of the library would
 * release them).
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
        // The log remains unchanged: the next checkpoint moves it.
        .on('error', () => undefined)
        .on('exit', () => resolve(checkpointResult));
    });
  }
}
