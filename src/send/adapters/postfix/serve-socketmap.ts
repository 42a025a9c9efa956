import type { Connection } from '../../../net/index.js';

/** The map that a connection serves. */
export interface SocketmapOptions {
  /** The name of the map, which is the last part of `socketmap:inet:HOST:PORT:NAME`. */
  readonly map: string;
  /**
   * Returns the framed reply to a key, or a promise if the reply is not cached. The
   * promise must not reject: after an internal error the reply is TEMP. The key has one
   * character for each octet. The key is a slice of a larger string, so a cache must copy
   * the key.
   */
  answer(cacheKey: string): string | Promise<string>;
  /**
   * Receives the fault of the request, once, if a malformed request ends the connection.
   */
  onMalformed?(why: Malformed): void;
}

/** The part of a request that is malformed. */
export type Malformed = 'length' | 'too-long' | 'comma' | 'no-key';

/** Longest request, the same limit as in Postfix (socketmap_max_query_size). */
const MAX_REQUEST = 10_000;
/**
 * Maximum number of outstanding replies of one connection. Postfix sends one request at a
 * time. The maximum limits the memory that another client can occupy.
 */
const MAX_OWED = 256;
/**
 * Approximate size of one write. Several smaller writes reveal when a client stops
 * reading.
 */
const PIECE = 65_536;

const DIGIT_0 = 0x30;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Serves one connection of a Postfix socketmap client (socketmap_table(5)): requests have
 * the form `LEN:NAME SP KEY,`. Replies have the same framing and the order of the
 * requests, even if many requests arrive at once. A malformed request ends the connection
 * after the outstanding replies, since the start of the next request is then unknown. The
 * server stops reading from a client that does not read its replies.
 */
export function serveSocketmap(connection: Connection, options: SocketmapOptions): void {
  new SocketmapConnection(connection, options).serve();
}

/**
 * One connection of a client.
 *
 * ```
 * octets -> #pending -> #work -> answer() -+-> #send          reply cached, none owed
 *                                          +-> #owed -> #send  in the order of requests
 * ```
 *
 * The server does not read requests while the send buffer is full (`#blocked`) or too
 * many replies are outstanding.
 */
class SocketmapConnection {
  readonly #stream: Connection['stream'];
  readonly #close: Connection['close'];
  readonly #options: SocketmapOptions;
  readonly #prefix: string;
  readonly #unknownMap: string;
  /** Octets that do not yet form a complete request. */
  #pending = '';
  /**
   * Outstanding replies in the order of the requests. A reply is undefined until its
   * lookup has ended.
   */
  readonly #owed: (string | undefined)[] = [];
  /**
   * Number of replies removed from `#owed` so far. The index of a reply is its sequence
   * number minus this number.
   */
  #taken = 0;
  #blocked = false;
  #ended = false;

  constructor({ stream, close }: Connection, options: SocketmapOptions) {
    this.#stream = stream;
    this.#close = close;
    this.#options = options;
    this.#prefix = `${options.map} `;
    this.#unknownMap = frame(`PERM this server has only the map ${options.map}`);
  }

  serve(): void {
    this.#stream.on('data', (bytes: Buffer) => {
      if (this.#ended) return;
      const received = bytes.toString('latin1');
      this.#pending = this.#pending === '' ? received : this.#pending + received;
      this.#work();
    });
    this.#stream.on('end', () => {
      this.#ended = true;
      this.#finish();
    });
    this.#stream.on('error', this.#close);
  }

  /** Answers all complete requests, until the client stops reading the replies. */
  #work(): void {
    let position = 0;
    let output = '';
    while (!this.#blocked && !this.#ended && this.#owed.length < MAX_OWED) {
      const request = this.#requestAt(position);
      if (request === undefined) break;
      if (typeof request === 'string') return this.#reject(output, request);
      position = request.next;
      const { key } = request;
      const reply = key === undefined ? this.#unknownMap : this.#options.answer(key);
      if (typeof reply === 'string' && this.#owed.length === 0) {
        output += reply;
        if (output.length >= PIECE) {
          this.#send(output);
          output = '';
        }
      } else this.#owe(reply);
    }
    if (position > 0) this.#pending = this.#pending.slice(position);
    if (output !== '') this.#send(output);
    if (this.#owed.length >= MAX_OWED) this.#stream.pause();
  }

  /**
   * Parses the request at a position of the pending text. Returns undefined for an
   * incomplete request. `key` is undefined for a request that names another map.
   */
  #requestAt(
    position: number,
  ): { readonly key: string | undefined; readonly next: number } | Malformed | undefined {
    const requestText = this.#pending;
    const startOffset = lengthEnd(requestText, position);
    if (startOffset === INCOMPLETE) return undefined;
    if (startOffset === NO_LENGTH) return 'length';
    const length = Number(requestText.slice(position, startOffset - 1));
    if (length > MAX_REQUEST) return 'too-long';
    const endOffset = startOffset + length;
    if (requestText.length <= endOffset) return undefined;
    if (requestText.charCodeAt(endOffset) !== COMMA) return 'comma';
    const known = requestText.startsWith(this.#prefix, startOffset);
    const space = known
      ? startOffset + this.#prefix.length - 1
      : requestText.indexOf(' ', startOffset);
    if (space < 0 || space >= endOffset) return 'no-key';
    return {
      key: known ? requestText.slice(space + 1, endOffset) : undefined,
      next: endOffset + 1,
    };
  }

  #send(frames: string): void {
    if (this.#stream.write(frames, 'latin1') || this.#blocked) return;
    this.#blocked = true;
    this.#stream.pause();
    this.#stream.once('drain', () => {
      this.#blocked = false;
      this.#resume();
    });
  }

  #owe(reply: string | Promise<string>): void {
    const place = this.#taken + this.#owed.length;
    this.#owed.push(typeof reply === 'string' ? reply : undefined);
    if (typeof reply === 'string') return;
    void reply.then((replyText) => {
      this.#owed[place - this.#taken] = replyText;
      this.#settle();
    });
  }

  /**
   * Sends the finished replies in order, up to the first lookup that is still pending.
   */
  #settle(): void {
    let output = '';
    for (let first = this.#owed[0]; first !== undefined; first = this.#owed[0]) {
      output += first;
      this.#owed.shift();
      this.#taken++;
    }
    if (output === '') return;
    this.#send(output);
    if (this.#ended) this.#finish();
    else this.#resume();
  }

  #resume(): void {
    if (this.#blocked || this.#ended || this.#owed.length >= MAX_OWED) return;
    this.#work();
    if (!this.#blocked && this.#owed.length < MAX_OWED) this.#stream.resume();
  }

  /**
   * Ends the connection because of a malformed request, after the replies to earlier
   * requests.
   */
  #reject(output: string, why: Malformed): void {
    this.#ended = true;
    this.#pending = '';
    this.#options.onMalformed?.(why);
    if (output !== '') this.#send(output);
    this.#finish();
  }

  #finish(): void {
    if (this.#owed.length === 0) this.#stream.end(this.#close);
  }
}

/** Formats a netstring: `LEN:TEXT,`. Each character is one octet. */
export function frame(content: string): string {
  return `${content.length}:${content},`;
}

const INCOMPLETE = -1;
const NO_LENGTH = -2;
/** Maximum digits of a length: a longer number exceeds every limit. */
const MAX_DIGITS = 5;

/**
 * Returns the position after `LEN:`; or {@link INCOMPLETE} or {@link NO_LENGTH}. A length
 * has no sign, blank or leading zero.
 */
function lengthEnd(requestText: string, startOffset: number): number {
  for (let position = startOffset; position < requestText.length; position++) {
    const code = requestText.charCodeAt(position);
    if (code === COLON) return position === startOffset ? NO_LENGTH : position + 1;
    if (
      code < DIGIT_0 ||
      code > DIGIT_0 + 9 ||
      position - startOffset >= MAX_DIGITS ||
      (position > startOffset && requestText.charCodeAt(startOffset) === DIGIT_0)
    )
      return NO_LENGTH;
  }
  return INCOMPLETE;
}
