import { migrateStore, type Store, type TableSet } from '../../store/index.js';

/** The state of a batch. `cancelled`: the remaining domains are not checked. */
export type BatchState = 'running' | 'done' | 'cancelled';

/**
 * A batch of domains that an account wants to be checked. Times are milliseconds since
 * 1970.
 */
export interface Batch {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly state: BatchState;
  readonly createdAt: number;
  readonly total: number;
  readonly finished: number;
}

/** One domain of a batch. */
export interface BatchItem {
  /** The place in the order of results, from 1; undefined until the result exists. */
  readonly place: number | undefined;
  readonly domain: string;
  readonly check: string | undefined;
  /** The code of the reason why there is no result. */
  readonly failure: string | undefined;
}

const migrations = [
  `CREATE TABLE web_batch (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     owner TEXT NOT NULL,
     state TEXT NOT NULL,
     created_at BIGINT NOT NULL,
     request_key TEXT,
     request_digest TEXT NOT NULL
   );
   CREATE UNIQUE INDEX web_batch_key ON web_batch (owner, request_key)
     WHERE request_key IS NOT NULL;
   CREATE TABLE web_batch_item (
     batch TEXT NOT NULL,
     number INTEGER NOT NULL,
     domain TEXT NOT NULL,
     place INTEGER,
     check_id TEXT,
     failure TEXT,
     PRIMARY KEY (batch, number)
   );
   CREATE INDEX web_batch_result ON web_batch_item (batch, place);`,
  // Idempotency keys of requests that create no row in another table.
  `CREATE TABLE web_request (
     owner TEXT NOT NULL,
     request_key TEXT NOT NULL,
     digest TEXT NOT NULL,
     sent_at BIGINT NOT NULL,
     PRIMARY KEY (owner, request_key)
   );
   CREATE INDEX web_request_time ON web_request (sent_at);`,
];

/** The tables of batches. */
export const batchTables: TableSet = { job: 'web-batch', migrations };

const WRITER = 'pages';
const columns = `id, name, owner, state, created_at AS createdAt,
  (SELECT count(*) FROM web_batch_item WHERE batch = id) AS total,
  (SELECT count(place) FROM web_batch_item WHERE batch = id) AS finished`;
const itemColumns = 'number, domain, place, check_id, failure';

/** A new batch, with the key and digest of the request that created it. */
export interface NewBatch {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly createdAt: number;
  readonly domains: readonly string[];
  /** The Idempotency-Key of the request. */
  readonly requestKey: string | undefined;
  readonly requestDigest: string;
}

interface StoredItem {
  readonly number: number;
  readonly domain: string;
  readonly place: number | null;
  readonly check_id: string | null;
  readonly failure: string | null;
}

/** The table of batches. An accepted batch survives a crash. */
export class BatchTable {
  readonly #store: Store;

  constructor(stateStore: Store) {
    migrateStore(stateStore, batchTables.job, migrations);
    this.#store = stateStore;
  }

  find(id: string): Batch | undefined {
    return this.#store.prepare<Batch>(`SELECT ${columns} FROM web_batch WHERE id = ?`).get(id);
  }

  /** Returns the batch that an earlier request with the same key created. */
  byKey(
    owner: string,
    requestKey: string,
  ): { readonly id: string; readonly digest: string } | undefined {
    return this.#store
      .prepare<{ id: string; digest: string }>(
        'SELECT id, request_digest AS digest FROM web_batch WHERE owner = ? AND request_key = ?',
      )
      .get(owner, requestKey);
  }

  /** Returns the number of unfinished batches of an account. */
  running(owner: string): number {
    return (
      this.#store
        .prepare<{ n: number }>(
          "SELECT count(*) AS n FROM web_batch WHERE owner = ? AND state = 'running'",
        )
        .get(owner)?.n ?? 0
    );
  }

  /** Returns domains without a result, those of the oldest running batches first. */
  waiting(
    limit: number,
  ): readonly { readonly batch: string; readonly number: number; readonly domain: string }[] {
    return this.#store
      .prepare<{ batch: string; number: number; domain: string }>(
        `SELECT batch, number, domain FROM web_batch_item JOIN web_batch ON id = batch
         WHERE state = 'running' AND place IS NULL ORDER BY created_at, batch, number LIMIT ?`,
      )
      .all(limit);
  }

  /** Returns the results after a position, in their order. */
  results(id: string, after: number, limit: number): readonly BatchItem[] {
    return this.#store
      .prepare<StoredItem>(
        `SELECT ${itemColumns} FROM web_batch_item WHERE batch = ? AND place > ?
         ORDER BY place LIMIT ?`,
      )
      .all(id, after, limit)
      .map(({ domain, place, check_id, failure }) => ({
        domain,
        place: place ?? undefined,
        check: check_id ?? undefined,
        failure: failure ?? undefined,
      }));
  }

  insert({
    id,
    name,
    owner,
    createdAt,
    domains,
    requestKey,
    requestDigest,
  }: NewBatch): Promise<void> {
    const store = this.#store;
    return store.write(WRITER, function* () {
      store
        .prepare(
          `INSERT INTO web_batch (id, name, owner, state, created_at, request_key, request_digest)
           VALUES (?, ?, ?, 'running', ?, ?, ?)`,
        )
        .run(id, name, owner, createdAt, requestKey ?? null, requestDigest);
      const item = store.prepare(
        'INSERT INTO web_batch_item (batch, number, domain) VALUES (?, ?, ?)',
      );
      for (const [number, domain] of domains.entries()) {
        item.run(id, number, domain);
        if (number % 500 === 499) yield;
      }
    });
  }

  /** Stores the result of one domain, and ends the batch if this was the last result. */
  finish(
    { batch, number }: { readonly batch: string; readonly number: number },
    {
      check,
      failure,
    }: { readonly check?: string | undefined; readonly failure?: string | undefined },
  ): Promise<void> {
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare(
          `UPDATE web_batch_item SET check_id = ?, failure = ?, place =
             (SELECT coalesce(max(place), 0) + 1 FROM web_batch_item WHERE batch = ?)
           WHERE batch = ? AND number = ? AND place IS NULL`,
        )
        .run(check ?? null, failure ?? null, batch, batch, number);
      this.#store
        .prepare(
          `UPDATE web_batch SET state = 'done' WHERE id = ? AND state = 'running' AND NOT EXISTS
             (SELECT 1 FROM web_batch_item WHERE batch = ? AND place IS NULL)`,
        )
        .run(batch, batch);
    });
  }

  cancel(id: string): Promise<void> {
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare("UPDATE web_batch SET state = 'cancelled' WHERE id = ? AND state = 'running'")
        .run(id);
    });
  }

  prune(before: number): Promise<void> {
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare(
          'DELETE FROM web_batch_item WHERE batch IN (SELECT id FROM web_batch WHERE created_at < ?)',
        )
        .run(before);
      this.#store.prepare('DELETE FROM web_batch WHERE created_at < ?').run(before);
    });
  }
}
