import type { Server, Socket } from 'node:net';
import { describeSystemError, HermeticError, networkOf, sourceOf } from '../../base/index.js';
import { formatListenAddress, type ListenAddress } from '../listen-address.js';
import type { OpenPort } from './listener-set.js';
import { listenAtPath } from './unix-socket.js';

/** Default of `patienceMs`. */
const MIN_AGE = 10_000;
/** Milliseconds until a connection that has sent nothing may be closed for a new one. */
const MIN_SILENCE = 1000;

/** An accepted connection. */
interface Held {
  readonly socket: Socket;
  readonly source: string;
  readonly network: string;
  readonly since: number;
}

/**
 * A listening server with its connections. When it is full, one connection is closed for
 * a new one.
 */
export class OpenedPort implements OpenPort {
  /** The oldest first. */
  readonly #held = new Map<Socket, Held>();
  readonly #perSource = new Map<string, number>();
  readonly #perNetwork = new Map<string, number>();
  #most = Infinity;
  /** Milliseconds until a connection may be closed for a new one. */
  patienceMs = MIN_AGE;
  /** Sent to a new connection that is refused. */
  refusal: string | undefined;
  /**
   * Ends a connection that is closed for a new one. By default the connection is
   * destroyed.
   */
  evict: ((socket: Socket) => void) | undefined;
  accepted = 0;
  refused = 0;

  constructor(
    private readonly server: Server,
    private readonly asked: ListenAddress,
    private readonly now: () => number = () => performance.now(),
  ) {
    server.on('drop', () => this.refused++);
    const forget = (socket: Socket): void => this.#forget(socket);
    // One function for all of them: a port accepts thousands of connections a second.
    const gone = function (this: Socket): void {
      forget(this);
    };
    server.on('connection', (socket) => {
      this.accepted++;
      const address = socket.remoteAddress ?? '';
      const [source, network] = [sourceOf(address), networkOf(address)];
      this.#held.set(socket.on('close', gone), { socket, source, network, since: this.now() });
      count(this.#perSource, source, 1);
      count(this.#perNetwork, network, 1);
      if (this.#held.size > this.#most) this.#makeRoom(socket);
    });
  }

  get sockets(): Iterable<Socket> {
    return this.#held.keys();
  }

  /** Maximum number of concurrent connections. For one more, a connection is closed. */
  get most(): number {
    return this.#most;
  }

  set most(maximum: number) {
    this.#most = maximum;
    this.server.maxConnections = maximum + 1;
  }

  /**
   * Closes one connection. A network that holds more than a quarter of the connections
   * loses one of its own. If no network does, the slowest connection is closed, once it
   * is old enough.
   */
  #makeRoom(newcomer: Socket): void {
    this.refused++;
    const all = [...this.#held.values()];
    let maximum = 0;
    for (const connections of this.#perNetwork.values()) maximum = Math.max(maximum, connections);
    const dominated = maximum > this.#most / 4;
    const largestGroup = all.filter(({ network }) => this.#perNetwork.get(network) === maximum);
    const mostOfSource = largestGroup.reduce(
      (largest, { source }) => Math.max(largest, this.#countOf(source)),
      0,
    );
    const holders = largestGroup.filter(({ source }) => this.#countOf(source) === mostOfSource);
    const victim = this.#slowest(dominated ? holders : all) ?? holders.at(-1);
    if (!victim) return;
    this.#forget(victim.socket);
    if (victim.socket === newcomer && this.refusal !== undefined)
      victim.socket.end(this.refusal, () => victim.socket.destroy());
    else if (victim.socket !== newcomer && this.evict) this.evict(victim.socket);
    else victim.socket.destroy();
  }

  #slowest(connections: readonly Held[]): Held | undefined {
    const now = this.now();
    const pace = ({ socket, since }: Held): number => socket.bytesRead / (now - since);
    const old = connections.filter(
      ({ socket, since }) =>
        now - since >= (socket.bytesRead === 0 ? MIN_SILENCE : this.patienceMs),
    );
    return old.reduce<Held | undefined>(
      (slowest, one) => (slowest && pace(slowest) <= pace(one) ? slowest : one),
      undefined,
    );
  }

  #countOf(source: string): number {
    return this.#perSource.get(source) ?? 0;
  }

  #forget(socket: Socket): void {
    const held = this.#held.get(socket);
    if (!held) return;
    this.#held.delete(socket);
    count(this.#perSource, held.source, -1);
    count(this.#perNetwork, held.network, -1);
  }

  get at(): ListenAddress {
    const address = this.server.address();
    return typeof address === 'object' && address
      ? { address: address.address, port: address.port }
      : this.asked;
  }

  get open(): number {
    return this.#held.size;
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

function count(counts: Map<string, number>, peerKey: string, by: 1 | -1): void {
  const next = (counts.get(peerKey) ?? 0) + by;
  if (next > 0) counts.set(peerKey, next);
  else counts.delete(peerKey);
}

/**
 * `most`: concurrent connections. `now`: milliseconds of a clock that is never set.
 * Resolves when the server listens; rejects with a HermeticError that has a fix.
 */
export async function openPort(
  server: Server,
  address: ListenAddress,
  maximum: number,
  now?: () => number,
): Promise<OpenedPort> {
  const openedPort = new OpenedPort(server, address, now);
  openedPort.most = maximum;
  try {
    if ('path' in address) await listenAtPath(server, address.path, address.mode);
    else await listenAt(server, address);
    return openedPort;
  } catch (error) {
    throw unavailable(address, error as NodeJS.ErrnoException);
  }
}

function listenAt(
  server: Server,
  { address, port, ipv6Only = false }: Exclude<ListenAddress, { readonly path: string }>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true, ipv6Only }, () => resolve());
  });
}

/** The error for an address that cannot be listened on. */
export function unavailable(address: ListenAddress, cause: NodeJS.ErrnoException): HermeticError {
  const { message, fix } = describe(address, cause);
  return new HermeticError('listen-failed', `${formatListenAddress(address)}: ${message}`, {
    cause,
    fix,
  });
}

function describe(
  address: ListenAddress,
  cause: NodeJS.ErrnoException,
): ReturnType<typeof describeSystemError> {
  const known = describeSystemError(cause);
  if ('port' in address)
    return cause.code === 'EACCES'
      ? {
          ...known,
          fix: 'Ports below 1024 need a privilege: run as root, give CAP_NET_BIND_SERVICE, or choose another port.',
        }
      : known;
  if (cause.code === 'EADDRINUSE') return { ...known, fix: 'Stop it, or choose another path.' };
  if (cause.code === 'EEXIST')
    return {
      message: 'the path is a file, not a socket',
      fix: 'Remove the file, or choose another path.',
    };
  return known;
}
