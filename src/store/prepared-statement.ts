import type { DriverStatement, Value } from './driver.js';
import { nameError, withFileErrors } from './failures.js';
import { isOutOfRange, readRounded } from './safe-numbers.js';

/**
 * A statement prepared once; `?` stands for each value. Rows are plain objects by column
 * name.
 */
export interface Statement<Row = unknown> {
  /** Returns the number of rows changed. */
  run(...values: readonly Value[]): number;
  get(...values: readonly Value[]): Row | undefined;
  all(...values: readonly Value[]): Row[];
}

/**
 * A statement of the driver with named errors. Methods for one row map errors in place:
 * creating a function for each row would cost as much time as reading the row.
 */
export class PreparedStatement implements Statement {
  #native: DriverStatement | undefined;

  constructor(
    native: DriverStatement,
    private readonly file: string,
    private readonly assertFree: () => void,
  ) {
    this.#native = native;
  }

  readonly run = (...values: readonly Value[]): number => {
    this.assertFree();
    try {
      return Number(this.#open().run(...values).changes);
    } catch (error) {
      throw nameError(this.file, error);
    }
  };

  readonly get = (...values: readonly Value[]): unknown => {
    try {
      return this.#open().get(...values);
    } catch (error) {
      return this.#readAgain(error, (native) => native.get(...values));
    }
  };

  readonly all = (...values: readonly Value[]): unknown[] => {
    try {
      return this.#open().all(...values);
    } catch (error) {
      return this.#readAgain(error, (native) => native.all(...values));
    }
  };

  /**
   * Rounds a stored number that does not fit a JavaScript number, so that the table
   * remains readable.
   */
  #readAgain<T>(error: unknown, read: (native: DriverStatement) => T): T {
    if (!isOutOfRange(error)) throw nameError(this.file, error);
    const native = this.#open();
    return withFileErrors(this.file, () => readRounded(native, () => read(native)));
  }

  drop(): void {
    this.#native = undefined;
  }

  #open(): DriverStatement {
    if (!this.#native) throw new TypeError(`${this.file} is closed`);
    return this.#native;
  }
}
