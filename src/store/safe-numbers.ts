import type { DriverStatement } from './driver.js';

/**
 * Runs a read again with big integers when a number does not fit a JavaScript number, and rounds
 * such numbers. The driver throws for them, and no stored number may make a table unreadable.
 */
export function readRows<T>(statement: DriverStatement, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isOutOfRange(error)) throw error;
  }
  statement.setReadBigInts(true);
  try {
    return rounded(read()) as T;
  } finally {
    statement.setReadBigInts(false);
  }
}

/** The same for rows that are read one by one, of a statement that yields big integers. */
export function* roundedRows(rows: IterableIterator<unknown>): IterableIterator<unknown> {
  for (const row of rows) yield rounded(row);
}

/** Node's own driver gives a code, the packaged one words alone. */
function isOutOfRange(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_OUT_OF_RANGE' || /too large to be represented/.test(message);
}

function rounded(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  for (const [key, member] of Object.entries(value))
    if (typeof member === 'bigint') (value as Record<string, unknown>)[key] = Number(member);
  return value;
}
