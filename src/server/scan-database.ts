import type { Database } from '../scan/index.js';

/**
 * The daemon's connection to the database of scans. The first request opens the
 * connection and loads the code of scans. After a failure the next request opens the
 * connection again.
 */
export class ScanDatabase {
  #opened: Promise<Database> | undefined;

  constructor(
    private readonly url: string,
    private readonly maxConnections: number,
    private readonly onError: (error: Error) => void,
  ) {}

  /** Returns the open database. Rejects if the database does not answer. */
  open(): Promise<Database> {
    const { url: connection, maxConnections, onError } = this;
    this.#opened ??= import('../scan/index.js').then(({ Database }) =>
      Database.open({ connection, maxConnections, onError }),
    );
    return this.#opened.catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
  }

  async close(): Promise<void> {
    await (await this.#opened?.catch(() => undefined))?.close();
  }
}
