import type { Database } from '../scan/index.js';

/**
 * The database of scans, as the daemon uses it. The connection is opened with the first
 * request, and again after a failure. The first request also loads the code of scans.
 */
export class ScanDatabase {
  #opened: Promise<Database> | undefined;

  constructor(
    private readonly url: string,
    private readonly maxConnections: number,
    private readonly onError: (error: Error) => void,
  ) {}

  /** Rejects if the database does not answer. */
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
