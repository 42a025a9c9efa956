import type { Duplex } from 'node:stream';
import { MailDataReader } from './mail-data.js';

/**
 * Maximum octets of a command line with CR LF. RFC 5321 §4.5.3.1.4 requires 512; each
 * extension adds some.
 */
const MAX_LINE = 2048;
/** Number of octets of an over-long line after which the connection ends. */
const MAX_SKIPPED = 64 * 1024;
const CR = 0x0d;

/**
 * A line without its CR LF, as ISO 8859-1; `bare-lf` if a line feed has no CR before
 * it; `end` at the end of input.
 */
export type InputLine =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'too-long' | 'bare-lf' | 'end' };

/**
 * Reads a client's octets as command lines and messages. Reads at most the requested
 * number of octets.
 */
export class SmtpInput {
  #held: Buffer = Buffer.alloc(0);
  /** Number of octets read so far. */
  octets = 0;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(private readonly stream: Duplex) {}

  /** Returns the next command line. A bare LF does not end a line (RFC 5321 §2.3.8). */
  async line(): Promise<InputLine> {
    for (let from = 0, skipped = 0; ;) {
      const offset = this.#held.indexOf('\n', from);
      if (offset >= 0) {
        if (this.#held[offset - 1] !== CR) return { kind: 'bare-lf' };
        const text = this.#held.toString('latin1', 0, offset - 1);
        this.#held = this.#held.subarray(offset + 1);
        if (skipped + offset < MAX_LINE) return { kind: 'line', text };
        return { kind: 'too-long' };
      }
      if (this.#held.length >= MAX_LINE) {
        // The last octet may be the CR of the line end.
        skipped += this.#held.length - 1;
        this.#held = Buffer.from(this.#held.subarray(-1));
      }
      if (skipped > MAX_SKIPPED) return { kind: 'end' };
      from = this.#held.length;
      const chunk = await this.#chunk();
      if (!chunk) return { kind: 'end' };
      this.#held = Buffer.concat([this.#held, chunk]);
    }
  }

  /**
   * Returns the octets of a message up to its end. Throws if the client ends the
   * connection before the end of the message.
   */
  async *message(): AsyncGenerator<Buffer, void> {
    const mailDataReader = new MailDataReader();
    let chunk: Buffer | undefined = this.#held;
    this.#held = Buffer.alloc(0);
    for (; chunk; chunk = await this.#chunk()) {
      const { data, rest } = mailDataReader.push(chunk);
      if (rest) this.#held = rest;
      if (data.length > 0) yield data;
      if (rest) return;
    }
    throw new Error('the client ended the connection within a message');
  }

  /** Stops reading. Waiting readers receive the end of input. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async #chunk(): Promise<Buffer | undefined> {
    const { stream } = this;
    while (!this.#stopped) {
      const chunk = stream.read() as Buffer | null;
      if (chunk !== null) {
        this.octets += chunk.length;
        return chunk;
      }
      if (stream.readableEnded || stream.destroyed) return undefined;
      await new Promise<void>((resolve) => {
        const events = ['readable', 'end', 'close', 'error'] as const;
        const done = (): void => {
          for (const event of events) stream.off(event, done);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = done;
        for (const event of events) stream.on(event, done);
      });
    }
    return undefined;
  }
}
