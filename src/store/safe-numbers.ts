import type { DriverStatement } from './driver.js';

/** Reads with big integers, and rounds those that do not fit a JavaScript number. */
export function readRounded<T>(statement: DriverStatement, read: () => T): T {
  statement.setReadBigInts(true);
  try {
    return rounded(read()) as T;
  } finally {
    statement.setReadBigInts(false);
  }
}

/**
 * Rounds rows in the same way, one by one. The statement has to yield big integers.
 */
export function* roundedRows(rows: IterableIterator<unknown>): IterableIterator<unknown> {
  for (const row of rows) yield rounded(row);
}

/**
 * Returns whether the driver refused a number that does not fit a JavaScript number.
 * Node's own driver sets a code, the packaged driver only a message.
 */
export function isOutOfRange(error: unknown): boolean {
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
