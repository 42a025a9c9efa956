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
 * One open database. Methods throw HermeticError for failures on this machine
 * (`storeFailures`). All methods except `write` and `settle` are synchronous. A process
 * that answers clients may read at any time, but writes only through `write`.
 */
export interface Store {
  readonly file: string;
  /**
   * Files of the database that other users can open, because their mode could not be
   * changed.
   */
  readonly exposed: readonly ExposedFile[];
  /** True if no other process can open the database until this connection is closed. */
  readonly isExclusive: boolean;
  /** Returns the statement for this text, prepared at its first use. */
  prepare<Row = unknown>(sql: string): Statement<Row>;
  /** Returns rows one by one, for results that do not fit into memory. */
  iterate<Row = unknown>(sql: string, ...values: readonly Value[]): IterableIterator<Row>;
  /** Executes one or more statements without values, for migrations. */
  execute(sql: string): void;
  /**
   * Runs `work` in the queue of writes, as one atomic write of a job, and resolves when
   * the write is durable. The queue waits at most `waitMs` for the lock of another
   * process without blocking the event loop; then the promise rejects with `store-busy`.
   * For a long write, `work` is a generator that yields every few milliseconds.
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
   * Runs `work` and commits all of its changes, or none. Inside a write or another
   * transaction, `work` becomes part of the outer transaction.
   */
  transaction<T>(work: () => T): T;
  /**
   * Returns the number of transactions rolled back so far. A cached copy of data from a
   * transaction that was rolled back is invalid.
   */
  rollbacks(): number;
  /** Returns for each job whether its writes succeed. */
  writes(): readonly JobWrites[];
  /** Resolves when no write is queued and no checkpoint runs. */
  settle(): Promise<void>;
  /** Returns whether the paths of `file` and of its log still lead to the open files. */
  inPlace(): boolean;
  /**
   * Makes every later write fail with this failure, so that a damaged file is not
   * changed.
   */
  refuseWrites(failure: HermeticError): void;
  /**
   * Sets the time in milliseconds that a synchronous call waits for the lock of another
   * process.
   */
  setBusyTimeout(milliseconds: number): void;
  close(): void;
}

export interface OpenStoreOptions extends WriteQueueOptions {
  /**
   * Time in milliseconds that synchronous calls wait for the lock of another process.
   * Default 5 000; 0 in a process with an event loop.
   */
  readonly busyTimeoutMs?: number;
  /** True to reject a database that does not exist, for commands that only read. */
  readonly mustExist?: boolean;
  /**
   * True to run checkpoints of the write-ahead log in a separate thread, for a process
   * with an event loop. Otherwise the write that reaches the limit of the log runs the
   * checkpoint.
   */
  readonly checkpointThread?: boolean;
  /**
   * True to open an existing database on a full disk without shared memory. This process
   * can then read the database, and write to it when the disk has space again. Other
   * processes cannot open the database. If false, the call rejects with `store-full`.
   */
  readonly exclusiveWhenFull?: boolean;
  /**
   * The function object that syncs the write-ahead log after queued writes. Default:
   * fdatasync.
   */
  readonly logDisk?: LogDisk;
}

/**
 * Number of frames at which a commit runs a checkpoint: 16 MB. If a separate thread runs
 * checkpoints, the limit is higher and is reached only if the thread fails.
 */
const LONG_LOG = { here: 2000, elsewhere: 16_000 };

/**
 * Opens the database. If the file does not exist, it is created, readable only by its
 * owner [8460-8-1]. With `:memory:` the database is in memory. Throws `store-foreign` for
 * the database of another program, and changes nothing in it.
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
 * Opens a connection. An exclusive connection has the index of the log in its own memory
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
    // With FULL, a commit returns when it is durable. Large pages, a log of 16 MB and a
    // cache of 16 MB halve the amount of written data. The SELECT makes SQLite create the
    // log.
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
 * Opens a read-only connection. `address` is the path of the database, or a `file:` URI
 * with parameters of SQLite.
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
 * One open database. The methods are bound to the object, so that a test may spread a
 * store and replace some of its methods.
 */
class SqliteStore implements Store {
  readonly file: string;
  readonly exposed: readonly ExposedFile[];
  readonly isExclusive: boolean;
  readonly #driver: Driver;
  readonly #queue: WriteQueue;
  readonly #place: Place | undefined;
  /**
   * The write-ahead log; undefined if each commit is durable when it returns, or if the
   * database is in memory.
   */
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
    // be missing on the disk, so the connection remains open: the next process reads the
    // complete part of the log.
    if (this.#writeFailure) return;
    try {
      // The checkpoint makes the database file complete without the log, unless another
      // process still reads the log.
      this.#driver.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // A failed checkpoint loses no data: the next process that opens the database reads
      // the log.
    }
    // The driver closes a connection only when no statement refers to the connection.
    for (const statement of this.#prepared.values()) statement.drop();
    this.#prepared.clear();
    this.#driver.close();
  };

  /** Returns the failure because of which all later writes fail. */
  get #writeFailure(): HermeticError | undefined {
    return this.#refusal ?? this.#log?.failure;
  }

  #execute(sql: string): void {
    withFileErrors(this.file, () => this.#driver.exec(sql));
  }

  /**
   * Begins a transaction of the queue. Its commit does not wait for the disk, since
   * `#sync` syncs the log outside the event loop. Every other commit waits for the disk.
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

  /**
   * Rolls back the open transaction, unless SQLite has already done so because the disk
   * is full.
   */
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

/** The paths and identities of the files of a connection. */
class Place {
  readonly #paths: readonly string[];
  readonly #known = new Map<string, string>();

  constructor(filePath: string, log: LogSync | undefined) {
    if (log) this.#known.set(log.path, log.identity);
    this.#paths = [filePath, `${realpathSync(filePath)}-wal`];
    this.holds();
  }

  /**
   * Returns whether the paths still lead to the files to which they led at first. SQLite
   * creates the log at the first use, and does not delete it while the database is open.
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
