import type { Socket } from 'node:net';
import { networkOf } from '../../base/index.js';

/** Milliseconds between two connections that leave the line. */
const PACE_MS = 20;
/** Connections of one network that wait. */
const MAX_OF_NETWORK = 128;

/**
 * The connections of an overloaded site, which wait unread until their turn.
 *
 * Refusing a request takes a tenth of a millisecond, and accepting a connection twice as
 * long. The port of policies and the maps of mail servers share the thread, so a flood of
 * refusals would slow them. An unread connection uses no CPU time: the flow control of
 * TCP stops its client. The networks take turns, so a client outside the network of the
 * flood waits for only one turn.
 */
export class WaitingLine {
  /** The network whose turn is next comes first. */
  readonly #networks = new Map<string, Map<Socket, () => void>>();
  #timer: NodeJS.Timeout | undefined;

  /** `mayContinue`: returns whether the site can accept another request. */
  constructor(
    private readonly mayContinue: () => boolean,
    private readonly paceMs = PACE_MS,
  ) {}

  /** Connections that wait. */
  get length(): number {
    let count = 0;
    for (const sockets of this.#networks.values()) count += sockets.size;
    return count;
  }

  /**
   * Holds a connection, and calls `resume` at its turn. A network that has too many
   * connections in the line loses the new one.
   */
  hold(socket: Socket, resume: () => void): void {
    const network = networkOf(socket.remoteAddress ?? '');
    const sockets = this.#networks.get(network) ?? new Map<Socket, () => void>();
    if (sockets.size >= MAX_OF_NETWORK) return void socket.destroy();
    this.#networks.set(network, sockets);
    const leave = (): void => {
      socket.off('close', leave).off('error', leave);
      sockets.delete(socket);
      if (sockets.size === 0 && this.#networks.get(network) === sockets)
        this.#networks.delete(network);
    };
    sockets.set(socket, () => {
      leave();
      resume();
    });
    socket.on('close', leave).on('error', leave);
    this.#timer ??= setInterval(() => this.#release(), this.paceMs).unref();
  }

  /** Lets the first connection of the next network continue. */
  #release(): void {
    const [next] = this.#networks;
    if (next === undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    if (!this.mayContinue()) return;
    const [network, sockets] = next;
    const [resume] = sockets.values();
    this.#networks.delete(network);
    if (sockets.size > 1) this.#networks.set(network, sockets);
    resume?.();
  }
}
