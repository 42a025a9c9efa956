import type { Socket } from 'node:net';
import { networkOf } from '../../base/index.js';

/** Milliseconds between two connections that are released from the line. */
const PACE_MS = 20;
/** Maximum number of waiting connections of one network. */
const MAX_OF_NETWORK = 128;

/**
 * The connections of an overloaded site, which wait unread until their turn.
 *
 * Refusing a request takes a tenth of a millisecond, and accepting a connection twice as
 * long. Policy hosts and socketmaps run in the same thread, so a flood of refusals would
 * slow them. An unread connection uses no CPU time, because the flow control of TCP stops
 * the client. The networks take turns, so a client outside the network of the flood waits
 * for only one turn.
 */
export class WaitingLine {
  /** The waiting connections by network; the network whose turn is next comes first. */
  readonly #networks = new Map<string, Map<Socket, () => void>>();
  #timer: NodeJS.Timeout | undefined;

  /** `mayContinue`: returns whether the site can accept another request. */
  constructor(
    private readonly mayContinue: () => boolean,
    private readonly paceMs = PACE_MS,
  ) {}

  /** The number of waiting connections. */
  get length(): number {
    let count = 0;
    for (const sockets of this.#networks.values()) count += sockets.size;
    return count;
  }

  /**
   * Holds a connection, and calls `resume` at its turn. If too many connections of the
   * same network already wait, closes the new connection instead.
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
