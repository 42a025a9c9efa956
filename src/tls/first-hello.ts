import type { Duplex } from 'node:stream';
import { readClientHello, type ReceivedHello } from './wire/index.js';

/**
 * Reads the next ClientHello of a client and returns it to the stream, so that a TLS
 * server can continue from there. `use` receives undefined for octets that are not a
 * ClientHello, and the number of octets that arrived.
 */
export function readFirstHello(
  stream: Duplex,
  use: (hello: ReceivedHello | undefined, octets: number) => void,
): void {
  let received = Buffer.alloc(0);
  const inspect = (bytes: Buffer): void => {
    received = Buffer.concat([received, bytes]);
    const hello = readClientHello(received);
    if (hello === 'more') return;
    stream.off('data', inspect).pause();
    stream.unshift(received);
    use(hello, received.length);
  };
  stream.on('data', inspect);
}
