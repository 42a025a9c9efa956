import { createServer, type Socket } from 'node:net';
import type { Connection } from '../../net/index.js';
import type { ListenAddress } from '../listen-address.js';
import type { PortLimits } from '../service.js';
import type { Listener } from './listener-set.js';
import { openPort, OpenedPort } from './open-port.js';

export interface StreamSettings {
  readonly limits: PortLimits;
  serve(connection: Connection): void;
  /**
   * Ends a connection, as the protocol requires, to make room for a new one.
   */
  evict?(connection: Connection): void;
  /** Ends all connections when the port closes, as the protocol requires. */
  end?(): Promise<void>;
}

/** Milliseconds within which a job must end its connections. */
const END = 15_000;

/**
 * Listens for a stream protocol. Refuses connections beyond the limit at once, and closes
 * idle ones. Rejects with HermeticError when the address is not available.
 */
export async function listenStream(
  listenAddress: ListenAddress,
  settings: StreamSettings,
): Promise<Listener<StreamSettings>> {
  let current = settings;
  const activities = new WeakMap<Socket, Activity>();
  const connections = new WeakMap<Socket, Connection>();
  const server = createServer({ noDelay: true });
  const openedPort = await openPort(server, listenAddress, settings.limits.connections);
  openedPort.refusal = settings.limits.refusal;
  openedPort.evict = (socket) => {
    const connection = connections.get(socket);
    if (connection && current.evict) current.evict(connection);
    else socket.destroy();
  };
  // This listener runs after the one of `openPort`, so a connection that the port refused
  // is not served.
  server.on('connection', (socket) => {
    socket.on('error', () => socket.destroy());
    if (socket.destroyed || socket.writableEnded) return;
    activities.set(socket, { octets: 0, since: performance.now() });
    const connection = connOf(socket);
    connections.set(socket, connection);
    current.serve(connection);
  });
  // One timer checks all connections: a separate timer for each connection would be reset
  // at every octet.
  const sweep = setInterval(
    () => {
      for (const socket of openedPort.sockets)
        closeIdle(socket, activities.get(socket), current.limits.idleMs);
    },
    Math.max(50, Math.min(5000, settings.limits.idleMs / 4)),
  );
  server.once('close', () => clearInterval(sweep));
  const { close } = OpenedPort.prototype;
  return Object.assign(openedPort, {
    async close(graceMs: number) {
      const { end } = current;
      // The job itself limits the time until its connections end.
      await Promise.all([end?.(), close.call(openedPort, end ? Math.max(graceMs, END) : graceMs)]);
    },
    use(next: StreamSettings) {
      const { endedByJob = false } = current.limits;
      current = next;
      openedPort.most = next.limits.connections;
      openedPort.refusal = next.limits.refusal;
      // A reload closes open connections, because they would get answers of the old
      // configuration. Clients reconnect to the new configuration.
      if (!endedByJob) for (const socket of openedPort.sockets) socket.end();
    },
  });
}

interface Activity {
  octets: number;
  since: number;
}

function connOf(socket: Socket): Connection {
  return {
    stream: socket,
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    close: () => void socket.destroy(),
  };
}

function closeIdle(socket: Socket, activities: Activity | undefined, idleMs: number): void {
  const now = performance.now();
  const octets = socket.bytesRead + socket.bytesWritten;
  if (activities && octets !== activities.octets) Object.assign(activities, { octets, since: now });
  else if (!activities || now - activities.since > idleMs) socket.destroy();
}
