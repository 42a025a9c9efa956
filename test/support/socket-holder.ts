import { createServer } from 'node:net';
import { listenAtPath } from '../../src/server/listeners/unix-socket.js';

/**
 * Listens at the given path, reports the result, and sends its process id to each client.
 */
const server = createServer(
  (socket) => void socket.on('error', () => socket.destroy()).end(String(process.pid)),
);
try {
  await listenAtPath(server, process.argv[2] ?? '');
  process.send?.('listens');
} catch (error) {
  process.send?.((error as NodeJS.ErrnoException).code);
  process.disconnect();
}
