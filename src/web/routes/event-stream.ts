/** One event of a stream of server-sent events. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** The id, which the client sends as `Last-Event-ID` when it connects again. */
  readonly id?: string | undefined;
}

/**
 * A function that resolves to the next event, to `idle` to keep the connection open, or
 * to `end`.
 */
export type NextEvent = (signal: AbortSignal) => Promise<StreamEvent | 'idle' | 'end'>;

/** Milliseconds after which a stream ends, so that the client must connect again. */
const MAX_MS = 300_000;

/**
 * Returns a response with server-sent events. The next event is produced when the client
 * has read the last one, so a slow client slows its own stream and does not fill the
 * memory. The stream ends when `signal` aborts or the client disconnects.
 */
export function eventResponse(next: NextEvent, signal: AbortSignal): Response {
  const encoder = new TextEncoder();
  const ended = new AbortController();
  const stop = (): void => ended.abort(new Error('ended'));
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(stop, MAX_MS);
  timer.unref();
  const cleanUp = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    stop();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (signal.aborted) stop();
        controller.enqueue(encoder.encode('retry: 3000\n\n'));
      },
      async pull(controller) {
        const event = ended.signal.aborted ? 'end' : await next(ended.signal);
        if (event === 'end' || ended.signal.aborted) {
          cleanUp();
          return controller.close();
        }
        controller.enqueue(encoder.encode(event === 'idle' ? ': still there\n\n' : format(event)));
      },
      cancel: cleanUp,
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Without this field, nginx buffers responses.
      'x-accel-buffering': 'no',
    },
  });
}

function format({ event, data, id }: StreamEvent): string {
  const lines = [`event: ${event}`, `data: ${data.replace(/[\r\n]+/g, ' ')}`];
  if (id !== undefined) lines.push(`id: ${id}`);
  return `${lines.join('\n')}\n\n`;
}
