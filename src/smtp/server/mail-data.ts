const CRLF = Buffer.from('\r\n');
const CR = 0x0d;
const LF = 0x0a;

/** Octets of the message, and the octets after `<CRLF>.<CRLF>`. */
export interface MailDataStep {
  readonly data: Buffer;
  readonly rest: Buffer | undefined;
}

/**
 * Decodes the octets after DATA: removes the dots that the client added and finds the end
 * (RFC 5321 §4.5.2). Only `<CRLF>.<CRLF>` ends a message: a server that also accepts
 * `<LF>.<LF>` or `<LF>.<CRLF>` lets the author of a message inject a second message
 * (§4.1.1.4).
 */
export class MailDataReader {
  /**
   * Octets whose meaning depends on the next chunk. Initially CRLF, so that a first line
   * with only a dot ends the message.
   */
  #held: Buffer = CRLF;
  /** Octets of `#held` that are not part of the message. */
  #borrowed = CRLF.length;

  push(chunk: Uint8Array): MailDataStep {
    const messageBytes = Buffer.concat([this.#held, chunk]);
    const output: Buffer[] = [];
    let from = 0;
    for (;;) {
      const offset = messageBytes.indexOf('\r\n.', from);
      if (offset < 0) return this.#keep(output, messageBytes, from, heldBack(messageBytes, from));
      const next = messageBytes[offset + 3];
      const decided = next !== undefined && (next !== CR || offset + 4 < messageBytes.length);
      if (!decided) return this.#keep(output, messageBytes, from, offset);
      output.push(messageBytes.subarray(from, offset + 2));
      if (next === CR && messageBytes[offset + 4] === LF)
        return { data: this.#take(output), rest: messageBytes.subarray(offset + 5) };
      from = offset + 3;
    }
  }

  #keep(output: Buffer[], messageBytes: Buffer, from: number, upTo: number): MailDataStep {
    output.push(messageBytes.subarray(from, upTo));
    // Copied, because a view would keep the whole chunk in memory.
    this.#held = Buffer.from(messageBytes.subarray(upTo));
    return { data: this.#take(output), rest: undefined };
  }

  #take(output: readonly Buffer[]): Buffer {
    const joined = Buffer.concat(output);
    const borrowed = Math.min(this.#borrowed, joined.length);
    this.#borrowed -= borrowed;
    return joined.subarray(borrowed);
  }
}

/** Returns the position of octets that may be the start of CR LF dot. */
function heldBack(messageBytes: Buffer, from: number): number {
  const last = messageBytes.length - 1;
  if (last >= from && messageBytes[last] === CR) return last;
  if (last - 1 >= from && messageBytes[last - 1] === CR && messageBytes[last] === LF)
    return last - 1;
  return messageBytes.length;
}
