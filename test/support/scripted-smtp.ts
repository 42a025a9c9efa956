import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Lab } from '../../src/lab/index.js';

/** Replies by command verb, `greeting` among them. An unknown verb gets 500. */
export type Replies = Readonly<Record<string, string>>;

/**
 * Puts a server that answers from a script at the first mail host of a lab. `repliesAt`
 * returns the script of each connection, counted from 1. Resolves to a function that ends
 * the server.
 */
export async function scriptedServer(
  lab: Lab,
  repliesAt: (connection: number) => Replies,
): Promise<() => void> {
  let connections = 0;
  const server = createServer((socket) => serve(socket, repliesAt(++connections)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  lab.attach('198.51.100.1', 25, { address: '127.0.0.1', port });
  return () => void server.close();
}

function serve(socket: Socket, replies: Replies): void {
  socket.on('error', () => undefined);
  socket.write(replies['greeting'] ?? '220 mx ESMTP\r\n');
  let received = '';
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
    for (let end = received.indexOf('\n'); end >= 0; end = received.indexOf('\n')) {
      const [verb = ''] = received.slice(0, end).trim().split(' ');
      received = received.slice(end + 1);
      if (verb === 'QUIT') return void socket.end('221 bye\r\n');
      socket.write(replies[verb] ?? '500 5.5.2 unknown\r\n');
    }
  });
}
