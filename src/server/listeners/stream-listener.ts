import { createServer, type Server, type Socket } from 'node:net';
import type { Conn } from '../../net/index.js';
import type { ListenAddress } from '../config/listen-address.js';
import type { PortLimits } from '../service.js';
import type { Listener } from './listener-set.js';
import { opened } from './opened.js';

export interface StreamSettings {
  readonly limits: PortLimits;
  serve(conn: Conn): void;
}

/** Listens, refuses what is over the limit at once, and closes who says nothing. Rejects with HermeticError when the address cannot be had. */
export async function listenStream(at: ListenAddress, settings: StreamSettings): Promise<Listener<StreamSettings>> {
  let current = settings;
  const sockets = new Map<Socket, { octets: number; since: number }>();
  const counts = { accepted: 0, refused: 0 };
  const server = createServer({ noDelay: true }, (socket) => {
    counts.accepted++;
    sockets.set(socket, { octets: 0, since: performance.now() });
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    current.serve(connOf(socket));
  });
  server.maxConnections = settings.limits.connections;
  server.on('drop', () => counts.refused++);
  await opened(server, at);
  // One sweep for all: a timer of its own for each connection would cost at every octet.
  const sweep = setInterval(() => closeIdle(sockets, current.limits.idleMs), Math.max(50, Math.min(5000, settings.limits.idleMs / 4)));
  sweep.unref();
  const address = server.address();
  return {
    at: typeof address === 'object' && address ? { address: address.address, port: address.port } : at,
    get open() {
      return sockets.size;
    },
    get accepted() {
      return counts.accepted;
    },
    get refused() {
      return counts.refused;
    },
    use(next) {
      current = next;
      server.maxConnections = next.limits.connections;
      // Who is connected comes again, and meets the new: answers of a configuration that is gone would be wrong.
      for (const socket of sockets.keys()) socket.end();
    },
    close(graceMs) {
      clearInterval(sweep);
      return ended(server, sockets, graceMs);
    },
  };
}

function connOf(socket: Socket): Conn {
  return {
    stream: socket,
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    close: () => void socket.destroy(),
  };
}

function closeIdle(sockets: ReadonlyMap<Socket, { octets: number; since: number }>, idleMs: number): void {
  const now = performance.now();
  for (const [socket, seen] of sockets) {
    const octets = socket.bytesRead + socket.bytesWritten;
    if (octets !== seen.octets) Object.assign(seen, { octets, since: now });
    else if (now - seen.since > idleMs) socket.destroy();
  }
}

function ended(server: Server, sockets: ReadonlyMap<Socket, unknown>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const hard = setTimeout(() => [...sockets.keys()].forEach((socket) => socket.destroy()), graceMs);
    server.close(() => {
      clearTimeout(hard);
      resolve();
    });
  });
}
