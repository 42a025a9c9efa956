import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { describeSystemError, HermeticError } from '../../base/index.js';
import { formatListenAddress, type ListenAddress } from '../config/listen-address.js';
import type { OpenPort } from './listener-set.js';

/** A server that listens, with the connections it has and their count. */
export class OpenedPort implements OpenPort {
  readonly sockets = new Set<Socket>();
  accepted = 0;
  refused = 0;

  constructor(
    private readonly server: Server,
    private readonly asked: ListenAddress,
  ) {
    server.on('drop', () => this.refused++);
    const { sockets } = this;
    // One function for all of them: a port takes thousands of connections a second.
    const gone = function (this: Socket): void {
      sockets.delete(this);
    };
    server.on('connection', (socket) => {
      this.accepted++;
      sockets.add(socket.on('close', gone));
    });
  }

  get at(): ListenAddress {
    const address = this.server.address();
    return typeof address === 'object' && address ? { address: address.address, port: address.port } : this.asked;
  }

  get open(): number {
    return this.sockets.size;
  }

  close(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const hard = setTimeout(() => this.sockets.forEach((socket) => socket.destroy()), graceMs);
      this.server.close(() => {
        clearTimeout(hard);
        resolve();
      });
    });
  }
}

/** Resolves when the server listens; rejects with HermeticError that says what to do. */
export function openPort(server: Server, at: ListenAddress): Promise<OpenedPort> {
  const port = new OpenedPort(server, at);
  return new Promise((resolve, reject) => {
    if ('path' in at) removeStale(at.path);
    server.once('error', (error: NodeJS.ErrnoException) => reject(unavailable(at, error)));
    server.listen('path' in at ? { path: at.path } : { host: at.address, port: at.port, exclusive: true }, () => {
      // Postfix runs as a user of its own: whoever may enter the folder may connect.
      if ('path' in at) chmodSync(at.path, 0o666);
      resolve(port);
    });
  });
}

/** The socket file of a daemon that was killed stands in the way of the next. */
function removeStale(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unavailable({ path }, error as NodeJS.ErrnoException);
  }
}

function unavailable(at: ListenAddress, cause: NodeJS.ErrnoException): HermeticError {
  const { says, fix } = describeSystemError(cause);
  const privileged = cause.code === 'EACCES' && 'port' in at;
  return new HermeticError('listen-failed', `${formatListenAddress(at)}: ${says}`, {
    cause,
    fix: privileged ? 'Ports below 1024 need a privilege: run as root, give CAP_NET_BIND_SERVICE, or choose another port.' : fix,
  });
}
