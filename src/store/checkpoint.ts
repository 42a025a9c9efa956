import { Worker } from 'node:worker_threads';

/** Number of frames at which a checkpoint starts: 16 MB with pages of 8 KB. */
const LONG = 2000;
/** Milliseconds until the next attempt, if readers kept the log in use. */
const PAUSE = 10_000;

/** The result of a checkpoint in the separate thread. */
export interface CheckpointResult {
  /**
   * True if the next write restarts the log at its beginning, or a write has already
   * restarted it.
   */
  readonly restarted: boolean;
  /**
   * The error of a failed sync, after which the content of the log may not be on the
   * disk.
   */
  readonly syncFailed?: string;
}

interface CheckpointOptions {
  /** Path of the database file. */
  readonly file: string;
  hasFrames(count: number): boolean;
  /** Receives the error of a sync that failed in the separate thread. */
  onSyncFailure(error: Error): void;
}

/**
 * Runs checkpoints, which move the log into the database, in a separate thread, because a
 * checkpoint waits for the disk several times. The thread exists for one checkpoint.
 *
 * The thread's connection shares the SQLite library of this process, and therefore the
 * list of locks, so that closing the connection does not release the locks of other
 * connections. With two copies of the library, the locks would be released
 * (https://sqlite.org/howtocorrupt.html, section 2.2.1).
 */
export class Checkpointer {
  #running: Promise<void> | undefined;
  #notBefore = 0;

  constructor(private readonly options: CheckpointOptions) {}

  /** Starts a checkpoint if the log is long. The store calls this method after writes. */
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
        // After an error the log remains unchanged, and the next checkpoint moves it into
        // the database.
        .on('error', () => undefined)
        .on('exit', () => resolve(checkpointResult));
    });
  }
}
