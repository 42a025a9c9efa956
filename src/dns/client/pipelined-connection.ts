import type { Socket } from 'node:net';
import { concat } from '../../base/index.js';
import type { Connection } from '../../net/index.js';

/** Milliseconds after which an idle connection is closed (RFC 7766 §6.2.3). */
const IDLE_MS = 2_000;

/** `ended`: the connection closed, and whether the server read the query is unknown. */
export type PipelinedReply = Uint8Array | 'timeout' | 'ended';

/**
 * Sends many queries over one connection and accepts answers in any order (RFC 7766
 * §6.2.1.1, §7). An idle connection does not keep the process running.
 */
export class PipelinedConnection {
  readonly #waiting = new Map<number, (pipelinedReply: PipelinedReply) => void>();
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

  /** True once the connection cannot take another query. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * True after the first answer: the server speaks DNS, so an end may be an idle timeout.
   */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Returns true while a query with this id has no answer. */
  isWaiting(messageId: number): boolean {
    return this.#waiting.has(messageId);
  }

  /**
   * Sends a message. Its id must differ from those of all waiting queries. Rejects only
   * with `signal.reason`.
   */
  ask(message: Uint8Array, timeoutMs: number, abortSignal?: AbortSignal): Promise<PipelinedReply> {
    if (abortSignal?.aborted) return Promise.reject(abortSignal.reason as Error);
    if (this.#ended) return Promise.resolve('ended');
    const messageId = idOf(message);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(abortSignal?.reason as Error);
        settle('timeout');
      };
      const settle = (pipelinedReply: PipelinedReply): void => {
        clearTimeout(timer);
        abortSignal?.removeEventListener('abort', leave);
        this.#waiting.delete(messageId);
        if (this.#waiting.size === 0) this.#rest();
        resolve(pipelinedReply);
      };
      const timer = setTimeout(() => {
        settle('timeout');
        // A server that stopped answering is not given the next query: open a new
        // connection.
        this.end();
      }, timeoutMs);
      abortSignal?.addEventListener('abort', leave, { once: true });
      this.#waiting.set(messageId, settle);
      clearTimeout(this.#idle);
      socketOf(this.#conn).ref?.();
      this.#conn.stream.write(
        concat(Uint8Array.of(message.length >> 8, message.length & 255), message),
      );
    });
  }

  /** Closes the connection and settles all waiting queries with `ended`. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const settle of [...this.#waiting.values()]) settle('ended');
    clearTimeout(this.#idle);
    this.#conn.close();
  }

  /**
   * Drops messages that answer no waiting query, because the caller may have aborted.
   * Buffers at most one partial message, 64 KiB.
   */
  #read(piece: Buffer): void {
    this.#received = Buffer.concat([this.#received, piece]);
    while (this.#received.length >= 2) {
      const endOffset = 2 + this.#received.readUInt16BE(0);
      if (this.#received.length < endOffset) return;
      const message = new Uint8Array(this.#received.subarray(2, endOffset));
      this.#received = this.#received.subarray(endOffset);
      // A message without an id breaks the framing: nothing after it can be trusted.
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

/** Streams other than sockets have no `ref` and `unref`. */
function socketOf({ stream }: Connection): { ref?: () => void; unref?: () => void } {
  return stream as Connection['stream'] & Partial<Pick<Socket, 'ref' | 'unref'>>;
}

function idOf(message: Uint8Array): number {
  return ((message[0] ?? 0) << 8) | (message[1] ?? 0);
}
