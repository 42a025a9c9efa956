import type { Duplex } from 'node:stream';
import { readClientHello, type ReceivedHello } from './wire/index.js';

/**
 * Reads the ClientHello that a client sends next, and puts it back, so that a TLS server
 * can take over the stream. `use` receives undefined for octets that are not one, and the
 * number of octets that arrived.
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
