import type { Log } from '../log.js';
import type { PortLimits } from '../service.js';
import { Descriptors } from './descriptors.js';
import { formatListenAddress, type ListenAddress } from '../listen-address.js';

/** An open port. */
export interface OpenPort {
  /**
   * The listening address; for port 0 with the port that the system assigned.
   */
  readonly at: ListenAddress;
  /** Numbers of connections: open, accepted, and refused because of the limit. */
  readonly open: number;
  readonly accepted: number;
  readonly refused: number;
  /** Maximum number of concurrent connections. */
  most: number;
  /**
   * Stops accepting connections. Resolves when all open connections have ended, at the
   * latest after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
}

/** An open port whose settings can be replaced. */
export interface Listener<Settings> extends OpenPort {
  /** Sets the settings that apply from the next connection on. */
  use(settings: Settings): void;
}

/** A port that the configuration requires. */
export interface Wanted {
  /** The name of the port in logs and metrics. */
  readonly what: string;
  readonly at: ListenAddress;
  /**
   * Maximum number of concurrent connections, and whether the port has priority when
   * descriptors are short.
   */
  readonly connections: number;
  readonly essential: boolean;
  listen(): Promise<OpenPort>;
  /**
   * Applies the new settings to the open port that an earlier configuration opened for
   * the same `what` and address.
   */
  renew(openPort: OpenPort): void;
}

/**
 * Returns the description of a port that `listen` can open. All ports with the same
 * `what` must have the same type of listener.
 */
export function wanted<
  Settings extends { readonly limits: Pick<PortLimits, 'connections' | 'essential'> },
>(
  what: string,
  listenAddress: ListenAddress,
  settings: Settings,
  listen: (at: ListenAddress, settings: Settings) => Promise<Listener<Settings>>,
): Wanted {
  const { connections, essential = false } = settings.limits;
  return {
    what,
    at: listenAddress,
    connections,
    essential,
    listen: () => listen(listenAddress, settings),
    renew: (openPort) => (openPort as Listener<Settings>).use(settings),
  };
}

const GRACE = 3000;

/**
 * The open ports of a daemon. A reload keeps the ports that both configurations require,
 * and their connections.
 */
export class ListenerSet {
  readonly #descriptors: Descriptors;

  constructor(logger: Log) {
    this.#descriptors = new Descriptors(logger);
  }

  readonly #open = new Map<string, { readonly what: string; readonly listener: OpenPort }>();

  get all(): readonly { readonly what: string; readonly listener: OpenPort }[] {
    return [...this.#open.values()];
  }

  /**
   * Opens the missing ports, passes the new settings to the ports that stay, then closes
   * the ports that are no longer required. When a port cannot be opened, the set stays
   * unchanged.
   */
  async arrange(wanted: readonly Wanted[]): Promise<void> {
    const missing = wanted.filter((wantedPort) => !this.#open.has(keyOf(wantedPort)));
    const opened = new Map<string, { what: string; listener: OpenPort }>();
    try {
      for (const wantedPort of missing) {
        if (!opened.has(keyOf(wantedPort)))
          opened.set(keyOf(wantedPort), {
            what: wantedPort.what,
            listener: await wantedPort.listen(),
          });
      }
    } catch (error) {
      await Promise.all([...opened.values()].map(({ listener }) => listener.close(0)));
      throw error;
    }
    for (const [peerKey, one] of opened) this.#open.set(peerKey, one);
    for (const wantedPort of wanted) {
      const known = this.#open.get(keyOf(wantedPort));
      if (known) wantedPort.renew(known.listener);
    }
    const places = this.#descriptors.share(wanted);
    for (const [index, one] of wanted.entries()) {
      const listener = this.#open.get(keyOf(one))?.listener;
      if (listener) listener.most = places[index] ?? one.connections;
    }
    const keys = new Set(wanted.map(keyOf));
    await this.#close([...this.#open.keys()].filter((peerKey) => !keys.has(peerKey)));
  }

  closeAll(): Promise<void> {
    this.#descriptors.stop();
    return this.#close([...this.#open.keys()]);
  }

  async #close(keys: readonly string[]): Promise<void> {
    const closing = keys.flatMap((peerKey) => this.#open.get(peerKey) ?? []);
    for (const peerKey of keys) this.#open.delete(peerKey);
    await Promise.all(closing.map(({ listener }) => listener.close(GRACE)));
  }
}

function keyOf({ what, at }: Pick<Wanted, 'what' | 'at'>): string {
  return `${what} ${formatListenAddress(at)}`;
}
