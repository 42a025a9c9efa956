import { storeError } from './failures.js';

export type Value = string | number | bigint | null | Uint8Array;

/** The part of `node:sqlite` that this program uses. */
export interface Driver {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): DriverStatement;
  close(): void;
}

export interface DriverStatement {
  run(...values: readonly Value[]): { changes: number | bigint };
  get(...values: readonly Value[]): unknown;
  all(...values: readonly Value[]): unknown[];
  iterate(...values: readonly Value[]): IterableIterator<unknown>;
  setReadBigInts(on: boolean): void;
}

type Open = new (filePath: string, options: { timeout: number; readOnly?: boolean }) => Driver;

const modules = ['@photostructure/sqlite', 'node:sqlite'];
let loaded: Open | undefined;

/**
 * Returns the driver of the packaged SQLite; if its binary does not load, the driver of
 * Node's own SQLite.
 */
export async function loadDriver(): Promise<Open> {
  const causes: unknown[] = [];
  for (const name of loaded ? [] : modules) {
    try {
      loaded = ((await import(name)) as { DatabaseSync: Open }).DatabaseSync;
      break;
    } catch (error) {
      causes.push(error);
    }
  }
  if (!loaded) throw storeError('store-driver', process.version, new AggregateError(causes));
  return loaded;
}
