import { closeSync, openSync } from 'node:fs';
import { describeSystemError } from '../base/index.js';
import { loadDriver, type Driver, type Value } from './driver.js';
import { named, nameError, storeError } from './failures.js';

/** A statement prepared once; `?` stands for each value. Rows are plain objects by column name. */
export interface Statement<Row = unknown> {
  /** The number of rows changed. */
  run(...values: readonly Value[]): number;
  get(...values: readonly Value[]): Row | undefined;
  all(...values: readonly Value[]): Row[];
}

/** One open database. Calls are synchronous, and throw HermeticError for conditions of this machine (`storeFailures`). */
export interface Store {
  readonly file: string;
  /** The statement for this text, prepared at its first use. */
  prepare<Row = unknown>(sql: string): Statement<Row>;
  /** Rows one by one, for results that should not stand in memory. */
  iterate<Row = unknown>(sql: string, ...values: readonly Value[]): IterableIterator<Row>;
  /** Several statements without values, for migrations. */
  execute(sql: string): void;
  /** All of `work` or nothing of it. When it returns, what it wrote survives a crash and a power cut. Inside another transaction it joins that one. */
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface OpenStoreOptions {
  /** Milliseconds to wait for another process. Default 5 000. */
  readonly busyTimeoutMs?: number;
  /** A database that is not there is an error: for whoever only reads. */
  readonly mustExist?: boolean;
}

/** Opens the database, and makes it (readable by its owner alone [8460-8-1]) where there is none. `:memory:` keeps it in memory. */
export async function openStore(file: string, options: OpenStoreOptions = {}): Promise<Store> {
  const Open = await loadDriver();
  if (file !== ':memory:') makePrivately(file, options.mustExist);
  const driver = named(file, () => new Open(file, { timeout: options.busyTimeoutMs ?? 5000 }));
  try {
    // FULL: without it a power cut takes back transactions that were already acknowledged. Large pages and a log of 16 MB (16 MB of cache too) halve the writing.
    named(file, () =>
      driver.exec(
        `PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -16000`,
      ),
    );
  } catch (error) {
    driver.close();
    throw error;
  }
  return storeOver(driver, file);
}

function makePrivately(file: string, mustExist = false): void {
  try {
    closeSync(openSync(file, mustExist ? 'r+' : 'a', 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (mustExist && code === 'ENOENT') throw storeError('store-absent', file, error);
    throw storeError(
      code === 'ENOSPC' ? 'store-full' : 'store-unwritable',
      `${file}: ${describeSystemError(error).says}`,
      error,
    );
  }
}

function storeOver(driver: Driver, file: string): Store {
  const prepared = new Map<string, Statement>();
  const execute = (sql: string): void => named(file, () => driver.exec(sql));
  const prepare = (sql: string): Statement => {
    const known = prepared.get(sql);
    if (known) return known;
    const statement = named(file, () => driver.prepare(sql));
    const made: Statement = {
      // Without `named`: a function made for each row would take as long as the row.
      run: (...values) => {
        try {
          return Number(statement.run(...values).changes);
        } catch (error) {
          throw nameError(file, error);
        }
      },
      get: (...values) => {
        try {
          return statement.get(...values);
        } catch (error) {
          throw nameError(file, error);
        }
      },
      all: (...values) => named(file, () => statement.all(...values)),
    };
    prepared.set(sql, made);
    return made;
  };
  return {
    file,
    prepare: <Row>(sql: string) => prepare(sql) as Statement<Row>,
    iterate: <Row>(sql: string, ...values: readonly Value[]) =>
      named(file, () => driver.prepare(sql).iterate(...values)) as IterableIterator<Row>,
    execute,
    transaction(work) {
      if (driver.isTransaction) return work();
      execute('BEGIN IMMEDIATE');
      try {
        const result = work();
        execute('COMMIT');
        return result;
      } finally {
        // A full disk may have rolled back already.
        if (driver.isTransaction) execute('ROLLBACK');
      }
    },
    close: () => driver.close(),
  };
}
