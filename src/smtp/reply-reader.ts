import { latin1 } from '../base/index.js';

/**
 * One reply: its code and the text of each line, without code and line end (RFC 5321
 * §4.2).
 */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

export type ReplyState =
  | { readonly state: 'more' }
  | { readonly state: 'reply'; readonly reply: Reply }
  | { readonly state: 'garbage' | 'too-long'; readonly detail: string };

/**
 * Maximum octets of one line. RFC 5321 §4.5.3.1.5 allows 512, which real servers exceed;
 * this limit bounds the memory that a server can claim.
 */
const MAX_LINE = 2048;
const MAX_LINES = 256;

/**
 * Parses replies from a stream of octets, in pieces of any size. A bare LF also ends a
 * line. Lines with different codes in one reply, and lines without a code, are malformed.
 * Octets after a complete reply stay in the buffer; {@link pending} counts them.
 */
export class ReplyReader {
  #buffer: Buffer = Buffer.alloc(0);
  #lines: string[] = [];
  #code = 0;

  /** The number of received bytes that belong to no reply yet. */
  get pending(): number {
    return this.#buffer.length + this.#lines.length;
  }

  push(messageBytes: Uint8Array): void {
    // The buffer needs at most one over-long line.
    if (this.#buffer.length <= MAX_LINE * 2)
      this.#buffer = Buffer.concat([this.#buffer, messageBytes]);
  }

  /** Returns the next reply, if it is complete. */
  next(): ReplyState {
    for (;;) {
      const endOffset = this.#buffer.indexOf(0x0a);
      if (endOffset > MAX_LINE || (endOffset < 0 && this.#buffer.length > MAX_LINE))
        return { state: 'too-long', detail: `a line of more than ${MAX_LINE} octets` };
      if (endOffset < 0) return { state: 'more' };
      let length = endOffset;
      while (this.#buffer[length - 1] === 0x0d) length--;
      const replyLine = latin1(this.#buffer.subarray(0, length));
      this.#buffer = this.#buffer.subarray(endOffset + 1);
      const parts = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(replyLine);
      if (!parts || (this.#lines.length > 0 && Number(parts[1]) !== this.#code))
        return { state: 'garbage', detail: replyLine.slice(0, 200) };
      this.#code = Number(parts[1]);
      this.#lines.push(parts[3] ?? '');
      if (parts[2] !== '-') {
        const reply = { code: this.#code, lines: this.#lines };
        this.#lines = [];
        return { state: 'reply', reply };
      }
      if (this.#lines.length >= MAX_LINES)
        return { state: 'too-long', detail: `more than ${MAX_LINES} lines` };
    }
  }
}
