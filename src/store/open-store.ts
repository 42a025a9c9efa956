import { realpathSync, statSync } from 'node:fs';
import type { HermeticError } from '../base/index.js';
import { Checkpointer } from './checkpoint.js';
import { loadDriver, type Driver, type Value } from './driver.js';
import { isStoreFailure, withFileErrors, storeError } from './failures.js';
import { LogSync, type LogDisk } from './log-sync.js';
import { assertOwn, MARK } from './owner.js';
import { createPrivate, makePrivate, type ExposedFile } from './private-file.js';
import { PreparedStatement, type Statement } from './prepared-statement.js';
import { roundedRows } from './safe-numbers.js';
import {
  WriteQueue,
  type JobWrites,
  type TransactionPort,
  type Work,
  type WriteQueueOptions,
} from './write-queue.js';

/**
 * One open database. Calls throw HermeticError for conditions of this machine
 * (`storeFailures`). They are synchronous, except `write`: a process that answers clients
 * may read at any time and writes only through `write`.
 */
export interface Store {
  readonly file: string;
  /**
   * Files of the database that other users can open, because their mode could not be
   * changed.
   */
  readonly exposed: readonly ExposedFile[];
  /** No other process can open the database until this connection is closed. */
  readonly isExclusive: boolean;
  /** The statement for this text, prepared at its first use. */
  prepare<Row = unknown>(sql: string): Statement<Row>;
  /** Returns rows one by one, for results too large for memory. */
  iterate<Row = unknown>(sql: string, ...values: readonly Value[]): IterableIterator<Row>;
  /** Several statements without values, for migrations. */
  execute(sql: string): void;
  /**
   * Runs `work` in the queue of writes, as an atomic write of a job, and resolves once it
   * is durable. Waits for a lock of another process without blocking the event loop, at
   * most `waitMs`; then it rejects with `store-busy`. A long write is a generator that
   * yields every few milliseconds.
   *
   * @example
   * ```ts
   * await store.write('report', () => insert.run(1));
   * await store.write('report', function* () {
   *   for (const row of rows) {
   *     insert.run(row);
   *     yield;
   *   }
   * });
   * ```
   */
  write<T>(job: string, work: () => Work<T>): Promise<T>;
  /**
   * Commits all of `work` or nothing. Inside a write or another transaction, `work`
   * becomes part of it.
   */
  transaction<T>(work: () => T): T;
  /**
   * Transactions that were rolled back so far: a cache entry written inside one of them
   * is void.
   */
  rollbacks(): number;
  /** The state of the writes of each job. */
  writes(): readonly JobWrites[];
  /** Resolves when no write waits, and no checkpoint runs. */
  settle(): Promise<void>;
  /** Returns whether `file` and its log are still the files that are open here. */
  inPlace(): boolean;
  /** Makes every later write fail with this failure: a damaged file is not written to. */
  refuseWrites(failure: HermeticError): void;
  /** Sets how long a synchronous call waits for another process, in milliseconds. */
  setBusyTimeout(milliseconds: number): void;
  close(): void;
}

export interface OpenStoreOptions extends WriteQueueOptions {
  /**
   * Milliseconds that synchronous calls block for another process. Default 5 000; 0 in a
   * process with an event loop.
   */
  readonly busyTimeoutMs?: number;
  /** Rejects a database that does not exist; for commands that only read. */
  readonly mustExist?: boolean;
  /**
   * Moves the write-ahead log into the database in another thread, for a process with an
   * event loop. Otherwise the write that reaches the limit of the log moves it.
   */
  readonly checkpointThread?: boolean;
  /**
   * Opens an existing database on a full disk without shared memory: this process can
   * read it, and write once there is room; other processes cannot open it. Without it the
   * call rejects with `store-full`.
   */
  readonly exclusiveWhenFull?: boolean;
  /** The sync of the write-ahead log of queued writes. Default: fdatasync. */
  readonly logDisk?: LogDisk;
}

/**
 * Frames of the log at which a commit moves it into the database: 16 MB; with a thread
 * for that, only if the thread fails.
 */
const LONG_LOG = { here: 2000, elsewhere: 16_000 };

/**
 * Opens the database, and creates it (readable by its owner alone [8460-8-1]) if the
 * file does not exist. `:memory:` keeps it in memory. Throws `store-foreign` for the
 * database of another program, and changes nothing in it.
 */
export async function openStore(filePath: string, options: OpenStoreOptions = {}): Promise<Store> {
  try {
    return await open(filePath, options, false);
  } catch (error) {
    if (!options.exclusiveWhenFull || !isStoreFailure(error, 'store-full')) throw error;
    return open(filePath, { ...options, checkpointThread: false }, true);
  }
}

/**
 * Opens a connection. An exclusive one keeps the index of the log in its own memory
 * (https://sqlite.org/wal.html, section 9).
 */
async function open(
  filePath: string,
  options: OpenStoreOptions,
  isExclusive: boolean,
): Promise<Store> {
  const Open = await loadDriver();
  const isFile = filePath !== ':memory:';
  const target = isFile ? createPrivate(filePath, options.mustExist ?? false) : filePath;
  const isNew = isFile && statSync(target).size === 0;
  const driver = withFileErrors(
    filePath,
    () => new Open(filePath, { timeout: options.busyTimeoutMs ?? 5000 }),
  );
  try {
    // FULL: a commit returns when it is durable. Large pages, a log of 16 MB and a cache
    // of 16 MB halve the amount of written data. The SELECT creates the log.
    const longLog = options.checkpointThread ? LONG_LOG.elsewhere : LONG_LOG.here;
    withFileErrors(filePath, () =>
      driver.exec(`PRAGMA locking_mode = ${isExclusive ? 'EXCLUSIVE' : 'NORMAL'}`),
    );
    assertOwn(driver, filePath);
    withFileErrors(filePath, () =>
      driver.exec(
        `PRAGMA page_size = 8192; ${isNew ? MARK : ''} PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = ${longLog}; PRAGMA cache_size = -16000; SELECT 1 FROM sqlite_master`,
      ),
    );
    const exposed = isFile ? makePrivate(target) : [];
    const log = isFile ? LogSync.open(filePath, options.logDisk) : undefined;
    return new SqliteStore(driver, filePath, { ...options, exposed, isExclusive, log });
  } catch (error) {
    driver.close();
    throw error;
  }
}

/**
 * Connects without the right to write. `address` is the argument of SQLite: the path, or
 * a
 * `file:` URI with parameters.
 */
export async function connectToRead(filePath: string, address: string): Promise<Store> {
  const Open = await loadDriver();
  const driver = withFileErrors(
    filePath,
    () => new Open(address, { timeout: 5000, readOnly: true }),
  );
  try {
    assertOwn(driver, filePath);
  } catch (error) {
    driver.close();
    throw error;
  }
  return new SqliteStore(driver, filePath, { exposed: [], isExclusive: false });
}

/**
 * The members of a store are bound, so that a test may spread it and replace some of
 * them.
 */
class SqliteStore implements Store {
  readonly file: string;
  readonly exposed: readonly ExposedFile[];
  readonly isExclusive: boolean;
  readonly #driver: Driver;
  readonly #queue: WriteQueue;
  readonly #place: Place | undefined;
  /** Undefined: each commit is durable when it returns, or the database is in memory. */
  readonly #log: LogSync | undefined;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #prepared = new Map<string, PreparedStatement>();
  #rollbacks = 0;
  #closed = false;
  #refusal: HermeticError | undefined;

  constructor(driver: Driver, filePath: string, options: StoreOptions) {
    this.file = filePath;
    this.exposed = options.exposed;
    this.isExclusive = options.isExclusive;
    this.#driver = driver;
    this.#log = options.log;
    this.#place = filePath === ':memory:' ? undefined : new Place(filePath, options.log);
    if (options.log && options.checkpointThread)
      this.#checkpointer = new Checkpointer({
        file: filePath,
        hasFrames: (count) => options.log?.hasFrames(count) ?? false,
        onSyncFailure: (error) => void options.log?.fail(error),
      });
    this.#queue = new WriteQueue(this.#transactionPort(), options);
  }

  #transactionPort(): TransactionPort {
    const driver = this.#driver;
    return {
      begin: () => this.#begin(),
      commit: () => this.#endQueued('COMMIT'),
      sync: () => this.#sync(),
      syncNow: () => {
        this.#log?.syncNow();
        this.#assertInPlace();
      },
      rollback: () => this.#rollback(),
      rollbackTo: (savepoint) => {
        this.#rollbacks++;
        this.#execute(`ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`);
      },
      execute: (sql) => this.#execute(sql),
      get isTransaction() {
        return driver.isTransaction;
      },
    };
  }

  readonly prepare = <Row>(sql: string): Statement<Row> => {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      const native = withFileErrors(this.file, () => this.#driver.prepare(sql));
      statement = new PreparedStatement(native, this.file, this.#assertFree);
      this.#prepared.set(sql, statement);
    }
    return statement as Statement<Row>;
  };

  readonly iterate = <Row>(sql: string, ...values: readonly Value[]): IterableIterator<Row> =>
    withFileErrors(this.file, () => {
      const statement = this.#driver.prepare(sql);
      statement.setReadBigInts(true);
      return roundedRows(statement.iterate(...values));
    }) as IterableIterator<Row>;

  readonly execute = (sql: string): void => {
    this.#assertFree();
    this.#execute(sql);
  };

  readonly write = <T>(job: string, work: () => Work<T>): Promise<T> =>
    this.#queue.write(job, work);

  readonly transaction = <T>(work: () => T): T => {
    this.#assertFree();
    if (this.#driver.isTransaction) return work();
    this.#execute('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#execute('COMMIT');
      this.#assertInPlace();
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  };

  readonly rollbacks = (): number => this.#rollbacks;

  readonly writes = (): readonly JobWrites[] => this.#queue.jobs;

  readonly settle = async (): Promise<void> => {
    await this.#queue.settle();
    await this.#checkpointer?.settle();
  };

  readonly inPlace = (): boolean => this.#place?.holds() ?? true;

  readonly refuseWrites = (failure: HermeticError): void => {
    this.#refusal = failure;
  };

  readonly setBusyTimeout = (milliseconds: number): void =>
    this.#execute(`PRAGMA busy_timeout = ${Math.trunc(milliseconds)}`);

  readonly close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.close();
    this.#log?.close();
    // Closing the connection would move the log into the database. The end of the log may
    // be missing on the disk, so the log remains, and the next process to open the
    // database reads its complete part.
    if (this.#writeFailure) return;
    try {
      // Moves the log, so that the file is complete without it once no other process
      // reads it.
      this.#driver.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The log is complete as well; the next process to open the database reads it.
    }
    // The driver closes a connection only once no statement refers to it.
    for (const statement of this.#prepared.values()) statement.drop();
    this.#prepared.clear();
    this.#driver.close();
  };

  /** The failure that stops all later writes. */
  get #writeFailure(): HermeticError | undefined {
    return this.#refusal ?? this.#log?.failure;
  }

  #execute(sql: string): void {
    withFileErrors(this.file, () => this.#driver.exec(sql));
  }

  /**
   * Begins a transaction of the queue, whose commit does not wait for the disk: `#sync`
   * does, outside the event loop. Every other commit waits.
   */
  #begin(): void {
    if (this.#writeFailure) throw this.#writeFailure;
    if (!this.#log) return this.#execute('BEGIN IMMEDIATE');
    this.#execute('PRAGMA synchronous = NORMAL');
    try {
      this.#execute('BEGIN IMMEDIATE');
    } catch (error) {
      this.#execute('PRAGMA synchronous = FULL');
      throw error;
    }
  }

  #endQueued(sql: string): void {
    this.#execute(sql);
    if (this.#log) this.#execute('PRAGMA synchronous = FULL');
  }

  async #sync(): Promise<void> {
    await this.#log?.sync();
    this.#assertInPlace();
    this.#checkpointer?.consider();
  }

  /** Writes to a removed file would be lost. */
  #assertInPlace(): void {
    if (this.#place?.holds() === false) throw storeError('store-replaced', this.file);
  }

  /** A full disk may have rolled back already. */
  #rollback(): void {
    this.#rollbacks++;
    if (this.#driver.isTransaction) this.#execute('ROLLBACK');
    if (this.#log) this.#execute('PRAGMA synchronous = FULL');
  }

  readonly #assertFree = (): void => {
    if (this.#writeFailure) throw this.#writeFailure;
    if (this.#queue.suspended)
      throw storeError('store-busy', `${this.file}: a write outside the queue of writes`);
  };
}

interface StoreOptions extends OpenStoreOptions {
  readonly isExclusive: boolean;
  readonly exposed: readonly ExposedFile[];
  readonly log?: LogSync | undefined;
}

/** The files of a connection. */
class Place {
  readonly #paths: readonly string[];
  readonly #known = new Map<string, string>();

  constructor(filePath: string, log: LogSync | undefined) {
    if (log) this.#known.set(log.path, log.identity);
    this.#paths = [filePath, `${realpathSync(filePath)}-wal`];
    this.holds();
  }

  /**
   * Returns whether the paths still name the files that they named first. SQLite creates
   * the log at the first use, and keeps it while it is open.
   */
  holds(): boolean {
    return this.#paths.every((filePath) => {
      const now = statSync(filePath, { throwIfNoEntry: false });
      const identity = now && `${now.dev}:${now.ino}`;
      const known = this.#known.get(filePath);
      if (known === undefined && identity !== undefined) this.#known.set(filePath, identity);
      return known === undefined || known === identity;
    });
  }
}
