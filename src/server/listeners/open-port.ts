import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { describeSystemError, HermeticError, sourceOf } from '../../base/index.js';
import { formatListenAddress, type ListenAddress } from '../config/listen-address.js';
import type { OpenPort } from './listener-set.js';

/** A server that listens, with the connections it has and their count. When it is full, the source that holds most gives one up. */
export class OpenedPort implements OpenPort {
  /** With their sources, the oldest first. */
  readonly #sources = new Map<Socket, string>();
  readonly #held = new Map<string, number>();
  #most = Infinity;
  accepted = 0;
  refused = 0;

  constructor(
    private readonly server: Server,
    private readonly asked: ListenAddress,
  ) {
    server.on('drop', () => this.refused++);
    const forget = (socket: Socket): void => this.#forget(socket);
    // One function for all of them: a port takes thousands of connections a second.
    const gone = function (this: Socket): void {
      forget(this);
    };
    server.on('connection', (socket) => {
      this.accepted++;
      const source = sourceOf(socket.remoteAddress ?? '');
      this.#sources.set(socket.on('close', gone), source);
      this.#held.set(source, (this.#held.get(source) ?? 0) + 1);
      if (this.#sources.size > this.#most) this.#makeRoom();
    });
  }

  get sockets(): Iterable<Socket> {
    return this.#sources.keys();
  }

  /** Connections at one time. There is one place more, for whoever meets a full port. */
  set most(most: number) {
    this.#most = most;
    this.server.maxConnections = most + 1;
  }

  /** The newest of those that hold most goes: nobody can have a port to himself, and who is alone meets a plain limit. */
  #makeRoom(): void {
    let most = 0;
    for (const held of this.#held.values()) most = Math.max(most, held);
    const [newest] =
      [...this.#sources].reverse().find(([, source]) => this.#held.get(source) === most) ?? [];
    this.refused++;
    newest?.destroy();
    if (newest) this.#forget(newest);
  }

  #forget(socket: Socket): void {
    const source = this.#sources.get(socket);
    if (source === undefined) return;
    this.#sources.delete(socket);
    const held = (this.#held.get(source) ?? 0) - 1;
    if (held > 0) this.#held.set(source, held);
    else this.#held.delete(source);
  }

  get at(): ListenAddress {
    const address = this.server.address();
    return typeof address === 'object' && address
      ? { address: address.address, port: address.port }
      : this.asked;
  }

  get open(): number {
    return this.#sources.size;
  }

  close(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const hard = setTimeout(
        () => [...this.sockets].forEach((socket) => socket.destroy()),
        graceMs,
      );
      this.server.close(() => {
        clearTimeout(hard);
        resolve();
      });
    });
  }
}

/** `most`: connections at one time. Resolves when the server listens; rejects with HermeticError that says what to do. */
export function openPort(server: Server, at: ListenAddress, most: number): Promise<OpenedPort> {
  const port = new OpenedPort(server, at);
  port.most = most;
  return new Promise((resolve, reject) => {
    if ('path' in at) removeStale(at.path);
    server.once('error', (error: NodeJS.ErrnoException) => reject(unavailable(at, error)));
    server.listen(
      'path' in at ? { path: at.path } : { host: at.address, port: at.port, exclusive: true },
      () => {
        // Postfix runs as a user of its own: whoever may enter the folder may connect.
        if ('path' in at) chmodSync(at.path, 0o666);
        resolve(port);
      },
    );
  });
}

/** The socket file of a daemon that was killed stands in the way of the next. */
function removeStale(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw unavailable({ path }, error as NodeJS.ErrnoException);
  }
}

function unavailable(at: ListenAddress, cause: NodeJS.ErrnoException): HermeticError {
  const { says, fix } = describeSystemError(cause);
  const privileged = cause.code === 'EACCES' && 'port' in at;
  return new HermeticError('listen-failed', `${formatListenAddress(at)}: ${says}`, {
    cause,
    fix: privileged
      ? 'Ports below 1024 need a privilege: run as root, give CAP_NET_BIND_SERVICE, or choose another port.'
      : fix,
  });
}
