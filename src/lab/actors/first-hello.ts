import type { Socket } from 'node:net';
import { readClientHello, type ReceivedHello } from '../../tls/index.js';

/**
 * Reads the ClientHello that a client sends next, and puts it back, so that a TLS server
 * can take over the socket. `use` receives undefined for octets that are not one.
 */
export function readFirstHello(
  socket: Socket,
  use: (hello: ReceivedHello | undefined) => void,
): void {
  let received = Buffer.alloc(0);
  const inspect = (bytes: Buffer): void => {
    received = Buffer.concat([received, bytes]);
    const hello = readClientHello(received);
    if (hello === 'more') return;
    socket.off('data', inspect).pause();
    socket.unshift(received);
    use(hello);
  };
  socket.on('data', inspect);
}
