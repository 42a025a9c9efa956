import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describeSystemError, type HermeticError } from '../base/index.js';
import { storeError } from './failures.js';

/** Syncs the write-ahead log to the disk. */
export interface LogDisk {
  /** Resolves when all earlier writes to the open file are on the disk. */
  sync(descriptor: number): Promise<void>;
  /** Syncs like `sync`, but blocks the caller until the data are on the disk. */
  syncNow(descriptor: number): void;
}

const nodeDisk: LogDisk = { sync: promisify(fdatasync), syncNow: fdatasyncSync };

/** Size in octets of the header of the log, and of the header of each frame. */
const HEADER = 32;
const FRAME = 24;

/**
 * The write-ahead log of an open database, synced without blocking the event loop.
 *
 * SQLite locks the database and the shared memory, never the log
 * (https://sqlite.org/walformat.html, section 2.3), so this class may open and close a
 * descriptor of the log. The descriptor is open before the first write, because Linux
 * reports a failed write-back only to descriptors that were open at that time.
 *
 * After a sync that failed, the kernel counts the lost pages as clean, and the next sync
 * succeeds without them (https://wiki.postgresql.org/wiki/Fsync_Errors). The first
 * failure is therefore final: afterwards no write to this log is acknowledged and no
 * frame is moved.
 */
export class LogSync {
  readonly path: string;
  readonly #descriptor: number;
  /**
   * The descriptor for `syncNow`. Linux reports a failure once to each descriptor, and a
   * sync in another thread may consume the report to `#descriptor`.
   */
  readonly #second: number;
  readonly #buffer = Buffer.alloc(HEADER);
  #failure: HermeticError | undefined;
  #running = 0;
  #closed = false;

  private constructor(
    filePath: string,
    private readonly file: string,
    private readonly disk: LogDisk,
  ) {
    this.path = filePath;
    this.#descriptor = openSync(filePath, 'r+');
    this.#second = openSync(filePath, 'r+');
  }

  /**
   * Opens the log of a database; returns undefined if there is no log, because the file
   * system does not support shared memory.
   */
  static open(filePath: string, logDisk: LogDisk = nodeDisk): LogSync | undefined {
    const target = realpathSync(filePath);
    try {
      const log = new LogSync(`${target}-wal`, filePath, logDisk);
      syncFolder(dirname(target));
      return log;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw storeError(
        'store-unwritable',
        `${filePath}-wal: ${describeSystemError(error).message}`,
        error,
      );
    }
  }

  /** Returns the failure after which no frame of this log counts as durable. */
  get failure(): HermeticError | undefined {
    return this.#failure;
  }

  /** Returns the device and inode of the open log. */
  get identity(): string {
    const { dev, ino } = fstatSync(this.#descriptor);
    return `${dev}:${ino}`;
  }

  /**
   * Resolves when every commit before the call is durable; rejects with `store-unsynced`
   * if a sync failed.
   */
  async sync(): Promise<void> {
    this.#assertTrusted();
    if (this.#closed) throw new TypeError(`${this.file} is closed`);
    this.#running++;
    try {
      await this.disk.sync(this.#descriptor);
    } catch (error) {
      throw this.fail(error);
    } finally {
      this.#running--;
      this.#release();
    }
    // The checkpoint thread may have received the only report of a failure.
    this.#assertTrusted();
  }

  /**
   * Returns when every commit before the call is durable; throws `store-unsynced` if a
   * sync failed.
   */
  syncNow(): void {
    this.#assertTrusted();
    try {
      this.disk.syncNow(this.#second);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Records that a sync of this log failed, in this or another thread. */
  fail(cause: unknown): HermeticError {
    const { message } = describeSystemError(cause);
    return (this.#failure ??= storeError('store-unsynced', `${this.file}: ${message}`, cause));
  }

  /**
   * Returns whether the log has at least `count` frames since its last restart. The file
   * never shrinks, so its size is not a measure; frames of the current log contain its
   * salts (https://sqlite.org/fileformat2.html, section 4.1).
   */
  hasFrames(count: number): boolean {
    const header = this.#read(0, HEADER);
    if (!header) return false;
    const salts = header.toString('latin1', 16, 24);
    const frame = this.#read(HEADER + (count - 1) * (FRAME + header.readUInt32BE(8)), FRAME);
    return frame?.toString('latin1', 8, 16) === salts;
  }

  /** Closes the log as soon as no sync runs. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#second);
    this.#release();
  }

  #assertTrusted(): void {
    if (this.#failure) throw this.#failure;
  }

  #release(): void {
    if (this.#closed && this.#running === 0) closeSync(this.#descriptor);
  }

  #read(position: number, length: number): Buffer | undefined {
    const read = readSync(this.#descriptor, this.#buffer, 0, length, position);
    if (read === length) return Buffer.from(this.#buffer.subarray(0, length));
    return undefined;
  }
}

/** Makes the name of a new log durable. Not every system can open a folder. */
function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch {
    // SQLite ignores this error as well.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
