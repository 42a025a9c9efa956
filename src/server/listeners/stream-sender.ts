import type { ServerResponse } from 'node:http';

/** Media types of bodies that are sent while they are produced. */
const streamedTypes = ['text/event-stream', 'application/jsonl'];

/**
 * Milliseconds that a client may leave sent octets unread before the server disconnects
 * it.
 */
const STALL_MS = 30_000;

/**
 * Returns whether a response must be sent while its body is produced, without a known
 * length.
 */
export function isStreamed({ headers, body }: Response): boolean {
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  return body !== null && streamedTypes.includes(mediaType);
}

/**
 * Sends bodies whose end is not yet known. Each stream holds a connection for minutes, so
 * streams have at most half of the port's connections; a further stream is refused with
 * 503. A body is read no faster than the client reads it. When the client closes the
 * connection or stops reading, the body is cancelled, so that its producer ends.
 */
export class StreamSender {
  readonly #open = new Set<ServerResponse>();

  /** `connections`: returns the current maximum number of connections of the port. */
  constructor(
    private readonly connections: () => number,
    private readonly stallMs = STALL_MS,
  ) {}

  /** The number of streams that are being sent. */
  get open(): number {
    return this.#open.size;
  }

  /**
   * Sends a response. Resolves when the body has ended, or the client has disconnected.
   */
  async send(response: Response, outgoing: ServerResponse): Promise<void> {
    const { body, status, headers } = response;
    if (body === null) return void outgoing.writeHead(status, [...headers].flat()).end();
    if (this.#open.size >= Math.max(1, Math.floor(this.connections() / 2))) {
      await body.cancel();
      const busy = ['retry-after', '30', 'content-type', 'text/plain; charset=utf-8'];
      return void outgoing
        .writeHead(503, busy)
        .end('Too many streams are open; try again later.\n');
    }
    this.#open.add(outgoing);
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    // When the client disconnects, this ends a `read` that still waits for data.
    const gone = (): void => void reader.cancel().catch(() => undefined);
    outgoing.once('close', gone).on('error', gone);
    try {
      outgoing.writeHead(status, [...headers].flat());
      outgoing.flushHeaders();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || outgoing.destroyed) break;
        if (!outgoing.write(value)) await this.#drained(outgoing);
      }
      outgoing.end();
    } finally {
      this.#open.delete(outgoing);
      outgoing.off('close', gone);
      gone();
    }
  }

  /**
   * Disconnects the client of every stream, because the port closes; clients connect
   * again.
   */
  endAll(): void {
    for (const outgoing of this.#open) outgoing.destroy();
  }

  /** Resolves when the client has read the sent octets, or its connection is closed. */
  #drained(outgoing: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => outgoing.destroy(), this.stallMs);
      const go = (): void => {
        clearTimeout(timer);
        outgoing.off('drain', go).off('close', go);
        resolve();
      };
      outgoing.once('drain', go).once('close', go);
    });
  }
}
