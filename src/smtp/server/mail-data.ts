const CRLF = Buffer.from('\r\n');
const CR = 0x0d;
const LF = 0x0a;

/** Octets of the message, and what follows it once `<CRLF>.<CRLF>` was read. */
export interface MailDataStep {
  readonly data: Buffer;
  readonly rest: Buffer | undefined;
}

/**
 * Decodes the octets after DATA: removes the dots that the client added and finds the end
 * (RFC 5321 §4.5.2). Only `<CRLF>.<CRLF>` ends a message: a server that also takes
 * `<LF>.<LF>` or `<LF>.<CRLF>` lets the author of a message smuggle in a second one
 * (§4.1.1.4).
 */
export class MailDataReader {
  /**
   * Octets that the next chunk decides on. The line before the first one counts as ended.
   */
  #held: Buffer = CRLF;
  /** Octets of `#held` that are not part of the message. */
  #borrowed = CRLF.length;

  push(chunk: Uint8Array): MailDataStep {
    const bytes = Buffer.concat([this.#held, chunk]);
    const output: Buffer[] = [];
    let from = 0;
    for (;;) {
      const at = bytes.indexOf('\r\n.', from);
      if (at < 0) return this.#keep(output, bytes, from, heldBack(bytes, from));
      const next = bytes[at + 3];
      const decided = next !== undefined && (next !== CR || at + 4 < bytes.length);
      if (!decided) return this.#keep(output, bytes, from, at);
      output.push(bytes.subarray(from, at + 2));
      if (next === CR && bytes[at + 4] === LF)
        return { data: this.#take(output), rest: bytes.subarray(at + 5) };
      from = at + 3;
    }
  }

  #keep(output: Buffer[], bytes: Buffer, from: number, upTo: number): MailDataStep {
    output.push(bytes.subarray(from, upTo));
    // A copy: a view would hold the whole chunk.
    this.#held = Buffer.from(bytes.subarray(upTo));
    return { data: this.#take(output), rest: undefined };
  }

  #take(output: readonly Buffer[]): Buffer {
    const joined = Buffer.concat(output);
    const borrowed = Math.min(this.#borrowed, joined.length);
    this.#borrowed -= borrowed;
    return joined.subarray(borrowed);
  }
}

/** Where the octets begin that may be the start of CR LF dot. */
function heldBack(bytes: Buffer, from: number): number {
  const last = bytes.length - 1;
  if (last >= from && bytes[last] === CR) return last;
  if (last - 1 >= from && bytes[last - 1] === CR && bytes[last] === LF) return last - 1;
  return bytes.length;
}
