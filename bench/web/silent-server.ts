import { createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * Accepts connections and reads nothing from them. It accepts as many as the port of the
 * pages, so the clients of a flood have the same work.
 */
const held = new Set<Socket>();
const server = createServer({ pauseOnConnect: true }, (socket) => {
  held.add(socket);
  socket.on('error', () => undefined).on('close', () => held.delete(socket));
  if (held.size > 500)
    for (const oldest of held) {
      oldest.destroy();
      held.delete(oldest);
      break;
    }
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ pages: (server.address() as AddressInfo).port });
});
