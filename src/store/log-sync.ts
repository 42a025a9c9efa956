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

/** The sync of the write-ahead log to the disk. */
export interface LogDisk {
  /** Resolves when everything that was written to the open file is on the disk. */
  sync(descriptor: number): Promise<void>;
  /** Does the same synchronously: the caller waits. */
  syncNow(descriptor: number): void;
}

const nodeDisk: LogDisk = { sync: promisify(fdatasync), syncNow: fdatasyncSync };

/** Octets of the header of the log, and of each frame in front of its page. */
const HEADER = 32;
const FRAME = 24;

/**
 * The write-ahead log of an open database: makes commits durable without blocking the
 * event loop.
 *
 * SQLite locks the database and the shared memory, never the log
 * (https://sqlite.org/walformat.html, section 2.3), so a descriptor of the log may be
 * opened and closed here. It stays open from before the first write: Linux reports a
 * failed write-back once to each descriptor that was open at that time.
 *
 * After a sync that failed, the pages that never reached the disk count as clean, and the
 * next sync succeeds without them (https://wiki.postgresql.org/wiki/Fsync_Errors). So the
 * first failure is final: no write in this log is acknowledged, and no frame is moved,
 * afterwards.
 */
export class LogSync {
  readonly path: string;
  readonly #descriptor: number;
  /**
   * For `syncNow`: a failure is reported once to each descriptor, and the other one may
   * receive it now in another thread.
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

  /** Undefined if the database has no log: its file system has no shared memory. */
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

  /** The failure after which no frame of this log counts as durable. */
  get failure(): HermeticError | undefined {
    return this.#failure;
  }

  /** Device and inode of the open log. */
  get identity(): string {
    const { dev, ino } = fstatSync(this.#descriptor);
    return `${dev}:${ino}`;
  }

  /**
   * Resolves when every commit before the call is durable; rejects with `store-unsynced`.
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
    // The other thread may have received the only report of a failure.
    this.#assertTrusted();
  }

  /** Returns when every commit before the call is durable; throws `store-unsynced`. */
  syncNow(): void {
    this.#assertTrusted();
    try {
      this.disk.syncNow(this.#second);
    } catch (error) {
      throw this.fail(error);
    }
  }

  /** Records that a sync of this log failed, here or in another thread. */
  fail(cause: unknown): HermeticError {
    const { message } = describeSystemError(cause);
    return (this.#failure ??= storeError('store-unsynced', `${this.file}: ${message}`, cause));
  }

  /**
   * Returns whether the log has at least this many frames since its last restart. The
   * file never shrinks, so its size is not a measure; frames of the current log contain
   * its salts (https://sqlite.org/fileformat2.html, section 4.1).
   */
  hasFrames(count: number): boolean {
    const header = this.#read(0, HEADER);
    if (!header) return false;
    const salts = header.toString('latin1', 16, 24);
    const frame = this.#read(HEADER + (count - 1) * (FRAME + header.readUInt32BE(8)), FRAME);
    return frame?.toString('latin1', 8, 16) === salts;
  }

  /** Closes the log once no sync runs. */
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
