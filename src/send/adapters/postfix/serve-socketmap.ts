import type { Connection } from '../../../net/index.js';

export interface SocketmapOptions {
  /** The map's name: what stands last in `socketmap:inet:HOST:PORT:NAME`. */
  readonly map: string;
  /**
   * The framed reply to a key (one character an octet), at once where it is known. A
   * promise must resolve: whatever went wrong is a TEMP reply. The key is a piece of a
   * larger text: who keeps it must copy it.
   */
  answer(key: string): string | Promise<string>;
  /** Who did not speak the protocol, and how. */
  onMalformed?(why: Malformed): void;
}

export type Malformed = 'length' | 'too-long' | 'comma' | 'no-key';

/** Longest request, that of Postfix itself (socketmap_max_query_size). */
const LONGEST = 10_000;
/**
 * Replies of one connection that wait for their turn. Postfix has one request under way.
 */
const MAX_WAITING = 256;
/**
 * Replies are handed to the socket in pieces of about this size, so that a client that
 * does not read is noticed.
 */
const PIECE = 65_536;

const DIGIT_0 = 0x30;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Serves one connection of a Postfix socketmap client (socketmap_table(5)): requests
 * `LEN:NAME SP KEY,`, replies in the same framing and in the order of the requests,
 * however many come at once. What is not a request ends the connection after the replies
 * that are owed: nothing is guessed. A client that does not read is not read from.
 */
export function serveSocketmap(
  { stream, close }: Connection,
  { map, answer, onMalformed }: SocketmapOptions,
): void {
  const prefix = `${map} `;
  const unknownMap = frame(`PERM this server has the map ${map}`);
  /** Octets not yet understood. */
  let pending = '';
  /** Replies owed, in order; undefined until they are there. */
  const owed: (string | undefined)[] = [];
  let blocked = false;
  let ended = false;

  /** Answers what is whole, as far as the client takes it. */
  const work = (): void => {
    let at = 0;
    let out = '';
    while (!blocked && !ended && owed.length < MAX_WAITING) {
      const start = lengthEnd(pending, at);
      if (start < 0) {
        if (start === -1) break;
        return give(out, 'length');
      }
      const length = Number(pending.slice(at, start - 1));
      if (length > LONGEST) return give(out, 'too-long');
      const end = start + length;
      if (pending.length <= end) break;
      if (pending.charCodeAt(end) !== COMMA) return give(out, 'comma');
      const known = pending.startsWith(prefix, start);
      const space = known ? start + prefix.length - 1 : pending.indexOf(' ', start);
      if (space < 0 || space >= end) return give(out, 'no-key');
      at = end + 1;
      const reply = known ? answer(pending.slice(space + 1, end)) : unknownMap;
      if (typeof reply === 'string' && owed.length === 0) {
        out += reply;
        if (out.length >= PIECE) {
          send(out);
          out = '';
        }
      } else owe(reply);
    }
    pending = at === 0 ? pending : pending.slice(at);
    if (out !== '') send(out);
    if (owed.length >= MAX_WAITING) stream.pause();
  };

  const send = (text: string): void => {
    if (stream.write(text, 'latin1') || blocked) return;
    blocked = true;
    stream.pause();
    stream.once('drain', () => {
      blocked = false;
      goOn();
    });
  };

  /** How many owed replies have been sent, so that places in the queue stay known. */
  let taken = 0;
  const owe = (reply: string | Promise<string>): void => {
    const place = taken + owed.length;
    owed.push(typeof reply === 'string' ? reply : undefined);
    if (typeof reply === 'string') return;
    void reply.then((text) => {
      owed[place - taken] = text;
      settle();
    });
  };

  const settle = (): void => {
    let out = '';
    for (let first = owed[0]; first !== undefined; first = owed[0]) {
      out += first;
      owed.shift();
      taken++;
    }
    if (out === '') return;
    send(out);
    if (ended) finish();
    else goOn();
  };

  const goOn = (): void => {
    if (blocked || ended || owed.length >= MAX_WAITING) return;
    work();
    if (!blocked && owed.length < MAX_WAITING) stream.resume();
  };

  const give = (out: string, why: Malformed): void => {
    ended = true;
    pending = '';
    onMalformed?.(why);
    if (out !== '') send(out);
    finish();
  };

  const finish = (): void => {
    if (owed.length === 0) stream.end(close);
  };

  stream.on('data', (bytes: Buffer) => {
    if (ended) return;
    const text = bytes.toString('latin1');
    pending = pending === '' ? text : pending + text;
    work();
  });
  stream.on('end', () => {
    ended = true;
    finish();
  });
  stream.on('error', close);
}

/** A netstring: `LEN:TEXT,`, one character an octet. */
export function frame(text: string): string {
  return `${text.length}:${text},`;
}

/**
 * Where the text after `LEN:` begins; -1 when more has to come, -2 when this is no
 * length. No sign, no blank, no leading zero, five digits.
 */
function lengthEnd(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) return i === at ? -2 : i + 1;
    if (
      code < DIGIT_0 ||
      code > DIGIT_0 + 9 ||
      i - at >= 5 ||
      (i > at && text.charCodeAt(at) === DIGIT_0)
    )
      return -2;
  }
  return -1;
}
