import type { Socket } from 'node:net';
import type { Connection } from '../../net/index.js';
import type { Message } from '../wire/message.js';

/** Milliseconds after which an idle connection is closed (RFC 7766 §6.2.3 [7766-6.2.3-1]). */
const IDLE_MS = 2_000;
/**
 * Maximum unanswered queries on one connection. Further queries wait. Servers accept more
 * concurrent queries, but a client must not flood them (RFC 7766 §6.2.1.1).
 */
export const MAX_IN_FLIGHT = 256;

/** A query, and the function that recognises an answer to it. */
export interface StreamQuery {
  /** Message id, unique among all waiting queries. */
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Returns the message if it answers the query: id and question match [7766-7-2]. */
  accept(bytes: Uint8Array): Message | undefined;
}

/**
 * `ended`: the connection was closed before an answer arrived, and the server may or may
 * not have read the query.
 */
export type PipelinedReply = Message | 'timeout' | 'ended';

/** A sent query without an answer. */
interface Waiting {
  readonly query: StreamQuery;
  settle(reply: PipelinedReply): void;
}

/**
 * Sends many queries over one connection and accepts answers in any order
 * (RFC 7766 §6.2.1.1, §7 [7766-6.2.1.1-1, 7766-7-1]). Queries sent in the same turn of
 * the event loop share one write. An idle connection does not prevent the process from
 * ending.
 */
export class PipelinedConnection {
  readonly #waiting = new Map<number, Waiting>();
  /** Queries beyond {@link MAX_IN_FLIGHT}, in the order of their calls. */
  readonly #queue: (() => void)[] = [];
  readonly #conn: Connection;
  #unsent: Uint8Array[] = [];
  #received: Buffer = Buffer.alloc(0);
  #idle: NodeJS.Timeout | undefined;
  #ended = false;
  /** Number of messages received. */
  #heard = 0;
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

  /** Returns whether the connection accepts no further query. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Returns whether the server has answered a query. A server that has answered supports
   * DNS on this connection, so a later close may be an idle timeout.
   */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Returns whether a query with this id has no answer yet. */
  isWaiting(messageId: number): boolean {
    return this.#waiting.has(messageId);
  }

  /**
   * Sends a query once fewer than {@link MAX_IN_FLIGHT} queries are unanswered, and
   * returns the answer. `newQuery` builds the query at that time, so that its id is
   * unused, and the timeout also begins at that time. Rejects only with `signal.reason`.
   */
  ask(
    newQuery: () => StreamQuery,
    timeoutMs: number,
    abortSignal?: AbortSignal,
  ): Promise<PipelinedReply> {
    if (abortSignal?.aborted) return Promise.reject(abortSignal.reason as Error);
    if (this.#ended) return Promise.resolve('ended');
    return new Promise((resolve, reject) => {
      let messageId: number | undefined;
      let timer: NodeJS.Timeout | undefined;
      const settle = (pipelinedReply: PipelinedReply): void => {
        clearTimeout(timer);
        abortSignal?.removeEventListener('abort', leave);
        resolve(pipelinedReply);
        if (messageId === undefined) return;
        this.#waiting.delete(messageId);
        this.#next();
      };
      const leave = (): void => {
        reject(abortSignal?.reason as Error);
        settle('timeout');
      };
      const send = (): void => {
        if (abortSignal?.aborted) return this.#next();
        if (this.#ended) return settle('ended');
        const query = newQuery();
        messageId = query.id;
        const heardBefore = this.#heard;
        this.#waiting.set(messageId, { query, settle });
        this.#send(query.bytes);
        timer = setTimeout(() => {
          settle('timeout');
          // If the server sent nothing at all during the timeout, this method closes the
          // connection, and the next query opens a new one. A single slow question does
          // not close the connection.
          if (this.#heard === heardBefore) this.end();
        }, timeoutMs);
      };
      abortSignal?.addEventListener('abort', leave, { once: true });
      if (this.#waiting.size < MAX_IN_FLIGHT) send();
      else this.#queue.push(send);
    });
  }

  /** Closes the connection and settles all waiting queries with `ended`. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { settle } of [...this.#waiting.values()]) settle('ended');
    for (const send of this.#queue.splice(0)) send();
    clearTimeout(this.#idle);
    this.#conn.close();
  }

  /** Sends the next queued query, or starts the idle timer. */
  #next(): void {
    const send = this.#ended ? undefined : this.#queue.shift();
    if (send) send();
    else if (this.#waiting.size === 0) this.#rest();
  }

  /**
   * Queues a message with its length prefix for the next write (RFC 7766 §8 [7766-8-1]).
   */
  #send(bytes: Uint8Array): void {
    if (this.#waiting.size === 1) {
      clearTimeout(this.#idle);
      socketOf(this.#conn).ref?.();
    }
    if (this.#unsent.length === 0) process.nextTick(() => this.#flush());
    this.#unsent.push(Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes);
  }

  #flush(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    if (!this.#ended) this.#conn.stream.write(Buffer.concat(unsent));
  }

  /**
   * Delivers complete messages to their queries, and drops messages without a waiting
   * query: the caller may have aborted it. Buffers at most one partial message (64 KiB).
   */
  #read(piece: Buffer): void {
    const received = this.#received.length === 0 ? piece : Buffer.concat([this.#received, piece]);
    let offset = 0;
    while (!this.#ended && received.length >= offset + 2) {
      const endOffset = offset + 2 + received.readUInt16BE(offset);
      if (received.length < endOffset) break;
      // Copied, because the parsed records reference this buffer, and a view would keep
      // the whole chunk in memory.
      const bytes = new Uint8Array(received.subarray(offset + 2, endOffset));
      offset = endOffset;
      // A message without an id breaks the framing, so all later octets are unusable.
      if (bytes.length < 2) return this.end();
      this.#deliver(bytes);
    }
    this.#received = received.subarray(offset);
  }

  #deliver(bytes: Uint8Array): void {
    this.#heard++;
    const waiting = this.#waiting.get(idOf(bytes));
    const message = waiting?.query.accept(bytes);
    if (!message) return;
    this.#hasAnswered = true;
    waiting?.settle(message);
  }

  #rest(): void {
    if (this.#ended) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.end(), IDLE_MS).unref();
    socketOf(this.#conn).unref?.();
  }
}

/**
 * Returns the stream with the optional methods `ref` and `unref`, which only sockets
 * have.
 */
function socketOf({ stream }: Connection): { ref?: () => void; unref?: () => void } {
  return stream as Connection['stream'] & Partial<Pick<Socket, 'ref' | 'unref'>>;
}

function idOf(message: Uint8Array): number {
  return ((message[0] ?? 0) << 8) | (message[1] ?? 0);
}
