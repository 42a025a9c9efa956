import type { Socket } from 'node:net';
import { concat } from '../../base/index.js';
import type { Connection } from '../../net/index.js';

/**
 * Milliseconds for which a connection is kept on which nothing is asked (RFC 7766
 * §6.2.3).
 */
const IDLE_MS = 2_000;

/**
 * `ended`: the connection is gone, and whether the question was ever read is not known.
 */
export type PipelinedReply = Uint8Array | 'timeout' | 'ended';

/**
 * Many questions over one connection, their answers in any order (RFC 7766 §6.2.1.1 and
 * §7). At rest it keeps no process from ending.
 */
export class PipelinedConnection {
  readonly #waiting = new Map<number, (reply: PipelinedReply) => void>();
  readonly #conn: Connection;
  #received: Buffer = Buffer.alloc(0);
  #idle: NodeJS.Timeout | undefined;
  #ended = false;
  #hasAnswered = false;

  constructor(connection: Connection) {
    this.#conn = connection;
    connection.stream
      .on('data', (piece: Buffer) => this.#read(piece))
      .once('end', () => this.end())
      .once('error', () => this.end())
      .once('close', () => this.end());
    this.#rest();
  }

  get ended(): boolean {
    return this.#ended;
  }

  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Whether a question with this id has no answer yet. */
  isWaiting(id: number): boolean {
    return this.#waiting.has(id);
  }

  /**
   * Sends a message whose id is that of no other that waits. Rejects only with
   * `signal.reason`.
   */
  ask(message: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<PipelinedReply> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.#ended) return Promise.resolve('ended');
    const id = idOf(message);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal?.reason as Error);
        settle('timeout');
      };
      const settle = (reply: PipelinedReply): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#rest();
        resolve(reply);
      };
      const timer = setTimeout(() => {
        settle('timeout');
        // Who answers one question no more is asked the next one anew.
        this.end();
      }, timeoutMs);
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.set(id, settle);
      clearTimeout(this.#idle);
      socketOf(this.#conn).ref?.();
      this.#conn.stream.write(
        concat(Uint8Array.of(message.length >> 8, message.length & 255), message),
      );
    });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const settle of [...this.#waiting.values()]) settle('ended');
    clearTimeout(this.#idle);
    this.#conn.close();
  }

  /**
   * What answers no question is dropped: its asker may have gone. At most one message, 64
   * KiB, is kept in part.
   */
  #read(piece: Buffer): void {
    this.#received = Buffer.concat([this.#received, piece]);
    while (this.#received.length >= 2) {
      const end = 2 + this.#received.readUInt16BE(0);
      if (this.#received.length < end) return;
      const message = new Uint8Array(this.#received.subarray(2, end));
      this.#received = this.#received.subarray(end);
      // Without an id it answers nobody, and nothing after it can be believed.
      if (message.length < 2) return this.end();
      const settle = this.#waiting.get(idOf(message));
      this.#hasAnswered ||= settle !== undefined;
      settle?.(message);
    }
  }

  #rest(): void {
    if (this.#ended) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.end(), IDLE_MS).unref();
    socketOf(this.#conn).unref?.();
  }
}

/** Streams that are no sockets have no such thing. */
function socketOf({ stream }: Connection): { ref?: () => void; unref?: () => void } {
  return stream as Connection['stream'] & Partial<Pick<Socket, 'ref' | 'unref'>>;
}

function idOf(message: Uint8Array): number {
  return ((message[0] ?? 0) << 8) | (message[1] ?? 0);
}
