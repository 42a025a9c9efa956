import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Log } from '../log.js';

/** A port and its number of connections, each of which needs a descriptor. */
interface Port {
  readonly what: string;
  readonly connections: number;
  readonly essential: boolean;
}

/** Number of descriptors for the daemon itself: database, DNS, policy hosts, checks. */
const OWN_DESCRIPTORS = 128;
/** Minimum number of connections of every port. */
const MIN_CONNECTIONS = 4;
/** Milliseconds between two attempts to open a file. */
const LOOK = 1000;

/**
 * Returns the number of files that this process may have open; undefined if the system
 * does not report it.
 */
export function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const softLimit = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return softLimit === undefined ? undefined : Number(softLimit);
  } catch {
    return undefined;
  }
}

/**
 * Returns the number of descriptors that the ports, their connections and the daemon
 * itself need.
 */
export function descriptorsNeeded(ports: readonly Port[]): number {
  return OWN_DESCRIPTORS + ports.reduce((sum, { connections }) => sum + connections + 2, 0);
}

/**
 * Returns the maximum number of connections for each port, such that all ports together
 * need at most `limit` descriptors. Essential ports, on which mail delivery depends, get
 * up to half of the descriptors; the others share the rest in proportion.
 */
export function shareDescriptors(ports: readonly Port[], limit: number): readonly number[] {
  if (descriptorsNeeded(ports) <= limit) return ports.map(({ connections }) => connections);
  const available = Math.max(0, limit - Math.min(OWN_DESCRIPTORS, limit / 4) - 2 * ports.length);
  const totalOf = (essential: boolean): number =>
    ports.reduce((sum, port) => sum + (port.essential === essential ? port.connections : 0), 0);
  const first = Math.min(totalOf(true), totalOf(false) === 0 ? available : available / 2);
  return ports.map(({ connections, essential }) => {
    const [places, asked] = essential
      ? [first, totalOf(true)]
      : [available - first, totalOf(false)];
    const share = Math.floor(connections * Math.min(1, places / asked));
    return Math.min(connections, Math.max(MIN_CONNECTIONS, share));
  });
}

/**
 * Compares the descriptor limit of the process with the configuration, and logs when all
 * descriptors are in use.
 */
export class Descriptors {
  readonly #timer: NodeJS.Timeout;
  #exhausted = false;

  constructor(
    private readonly log: Log,
    private readonly limitOf: () => number | undefined = descriptorLimit,
    private readonly tryOpen: () => void = openOne,
  ) {
    this.#timer = setInterval(() => this.look(), LOOK).unref();
  }

  /**
   * Returns the maximum number of connections for each port. Logs a warning if the
   * descriptor limit is too low for the configuration.
   */
  share(ports: readonly Port[]): readonly number[] {
    const limit = this.limitOf();
    const needed = descriptorsNeeded(ports);
    if (limit === undefined || needed <= limit) return ports.map(({ connections }) => connections);
    const places = shareDescriptors(ports, limit);
    this.log.warn('descriptors-few', {
      limit,
      needed,
      effect: ports
        .map(({ what }, index) => `${what}: ${places[index] ?? 0} connections`)
        .join(', '),
      fix: `raise the limit of open files: LimitNOFILE=${needed} in the unit, or ulimit -n ${needed}`,
    });
    return places;
  }

  /**
   * Logs once when no descriptor is left, and once when descriptors are available again.
   * Called every second.
   */
  look(): void {
    try {
      this.tryOpen();
      if (this.#exhausted) this.log.info('descriptors-available');
      this.#exhausted = false;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (this.#exhausted || (code !== 'EMFILE' && code !== 'ENFILE')) return;
      this.#exhausted = true;
      this.log.error('descriptors-exhausted', {
        code,
        effect: 'the daemon closes new connections, and cannot look up names and policies',
        fix: 'raise the limit of open files: LimitNOFILE in the unit, or ulimit -n',
      });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function openOne(): void {
  closeSync(openSync('/dev/null', 'r'));
}
