import { Duplex } from 'node:stream';
import type { Connection } from '../../src/net/index.js';

/** A client that sends and receives octets without a socket. */
export class TestingConversation {
  heard = '';
  ended = false;
  /** Octets the server has read so far. */
  taken = 0;
  /** Whether the client reads; if it does not, the server's writes stay pending. */
  reads = true;
  readonly #undone: (() => void)[] = [];
  readonly #stream: Duplex;
  readonly conn: Connection;

  constructor() {
    this.#stream = new Duplex({
      highWaterMark: 16_384,
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        this.heard += chunk.toString('latin1');
        if (this.reads) done();
        else this.#undone.push(() => done());
      },
      final: (done) => {
        this.ended = true;
        done();
      },
    });
    this.#stream.on('data', (bytes: Buffer) => (this.taken += bytes.length));
    const nowhere = { address: '', port: 0 };
    this.conn = {
      stream: this.#stream,
      local: nowhere,
      remote: nowhere,
      close: () => void this.#stream.destroy(),
    };
  }

  /** Resolves when the server has finished its pending callbacks. */
  async say(text: string): Promise<void> {
    this.#stream.push(Buffer.from(text, 'latin1'));
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  }

  /** Continues to read. */
  async read(): Promise<void> {
    this.reads = true;
    for (const done of this.#undone.splice(0)) done();
    await this.settle();
  }
}
