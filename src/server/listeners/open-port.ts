import type { Server, Socket } from 'node:net';
import { describeSystemError, HermeticError, networkOf, sourceOf } from '../../base/index.js';
import { formatListenAddress, type ListenAddress } from '../listen-address.js';
import type { OpenPort } from './listener-set.js';
import { listenAtPath } from './unix-socket.js';

/** Default of `patienceMs`, in milliseconds. */
const MIN_AGE = 10_000;
/** Milliseconds until a connection that has sent nothing may be closed for a new one. */
const MIN_SILENCE = 1000;

/** Milliseconds for which the list of the slowest connections is reused. */
const ORDER_MS = 500;

/** An accepted connection. */
interface Held {
  readonly socket: Socket;
  readonly source: string;
  readonly network: string;
  readonly since: number;
}

/**
 * A listening server with its connections. A full port closes one connection for each new
 * one. In a flood of a thousand connections a second, the choice must be fast: it
 * compares networks each time, and single connections only twice a second.
 */
export class OpenedPort implements OpenPort {
  /** All connections, the oldest first. */
  readonly #held = new Map<Socket, Held>();
  /** The connections of each source address, the oldest first. */
  readonly #ofSource = new Map<string, Set<Held>>();
  readonly #ofNetwork = new Map<string, Set<Held>>();
  /** Connections that may be closed for a new one, the slowest first. */
  #slowest: readonly Held[] = [];
  #orderedAt = -Infinity;
  #most = Infinity;
  /** Milliseconds until a connection that has sent data may be closed for a new one. */
  patienceMs = MIN_AGE;
  /** Text that is sent to a new connection before the port closes it. */
  refusal: string | undefined;
  /**
   * Ends a connection that the port closes to make room for a new one. By default the
   * port destroys the connection.
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
    // All connections share one function, since a port accepts thousands of connections a
    // second.
    const gone = function (this: Socket): void {
      forget(this);
    };
    server.on('connection', (socket) => {
      this.accepted++;
      const address = socket.remoteAddress ?? '';
      const [source, network] = [sourceOf(address), networkOf(address)];
      const newcomer = { socket: socket.on('close', gone), source, network, since: this.now() };
      this.#held.set(socket, newcomer);
      join(this.#ofSource, source, newcomer);
      join(this.#ofNetwork, network, newcomer);
      if (this.#held.size > this.#most) this.#makeRoom(newcomer);
    });
  }

  get sockets(): Iterable<Socket> {
    return this.#held.keys();
  }

  /**
   * Maximum number of concurrent connections. Beyond this number the port closes a
   * connection for each new one.
   */
  get most(): number {
    return this.#most;
  }

  set most(maximum: number) {
    this.#most = maximum;
    this.server.maxConnections = maximum + 1;
  }

  /**
   * Closes one connection. If a network holds more than a quarter of the connections,
   * closes one of that network. Otherwise closes the slowest connection that is old
   * enough, or else the newest of the largest network.
   */
  #makeRoom(newcomer: Held): void {
    this.refused++;
    const network = largest(this.#ofNetwork.values(), this.#ofNetwork.get(newcomer.network));
    const sources = [...network].map(({ source }) => this.#ofSource.get(source) ?? new Set<Held>());
    const ofNewcomer = network.has(newcomer) ? this.#ofSource.get(newcomer.source) : undefined;
    const holders = largest(sources, ofNewcomer);
    const isDominated = network.size > this.#most / 4;
    const victim =
      this.#slow().find(
        (one) => this.#held.has(one.socket) && (!isDominated || holders.has(one)),
      ) ?? [...holders].at(-1);
    if (!victim) return;
    this.#forget(victim.socket);
    if (victim === newcomer && this.refusal !== undefined)
      victim.socket.end(this.refusal, () => victim.socket.destroy());
    else if (victim !== newcomer && this.evict) this.evict(victim.socket);
    else victim.socket.destroy();
  }

  /**
   * Returns the connections that are old enough to be closed for a new one, the slowest
   * first.
   */
  #slow(): readonly Held[] {
    const now = this.now();
    if (now - this.#orderedAt < ORDER_MS) return this.#slowest;
    this.#orderedAt = now;
    const atLeast = Math.min(MIN_SILENCE, this.patienceMs);
    const slow: { readonly one: Held; readonly pace: number }[] = [];
    // The loop may stop early, because the oldest connections come first.
    for (const one of this.#held.values()) {
      const age = now - one.since;
      if (age < atLeast) break;
      const octets = one.socket.bytesRead;
      if (age >= (octets === 0 ? MIN_SILENCE : this.patienceMs))
        slow.push({ one, pace: octets / age });
    }
    this.#slowest = slow.sort((left, right) => left.pace - right.pace).map(({ one }) => one);
    return this.#slowest;
  }

  #forget(socket: Socket): void {
    const held = this.#held.get(socket);
    if (!held) return;
    this.#held.delete(socket);
    leave(this.#ofSource, held.source, held);
    leave(this.#ofNetwork, held.network, held);
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

function join(groups: Map<string, Set<Held>>, groupKey: string, held: Held): void {
  const group = groups.get(groupKey);
  if (group) group.add(held);
  else groups.set(groupKey, new Set([held]));
}

function leave(groups: Map<string, Set<Held>>, groupKey: string, held: Held): void {
  const group = groups.get(groupKey);
  group?.delete(held);
  if (group?.size === 0) groups.delete(groupKey);
}

/**
 * Returns the group with the most connections; `preferred` unless another group is
 * larger.
 */
function largest(groups: Iterable<Set<Held>>, preferred = new Set<Held>()): Set<Held> {
  let found = preferred;
  for (const group of groups) if (group.size > found.size) found = group;
  return found;
}

/**
 * Opens a port. `maximum`: the number of concurrent connections. `now`: milliseconds of a
 * monotonic clock. Resolves when the server listens; rejects with a HermeticError that
 * has a fix.
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

/** Returns the error for an address on which the process cannot listen. */
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
  if (cause.code === 'EADDRINUSE')
    return { ...known, fix: 'Stop the other program, or choose another path.' };
  if (cause.code === 'EEXIST')
    return {
      message: 'the path is a file, not a socket',
      fix: 'Remove the file, or choose another path.',
    };
  return known;
}
