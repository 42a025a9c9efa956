import { createServer, type AddressInfo, type Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** Milliseconds without a line from the client after which a server ends the session. */
const IDLE_MS = 1500;

/** The connections that the servers of one address have received. */
interface AddressCounts {
  open: number;
  total: number;
}

/**
 * Mail servers on all addresses of 127.0.0.0/8, on one port. Each server counts its
 * connections and the maximum number of concurrent connections. A session is a greeting
 * and QUIT.
 */
export class CountingServers {
  readonly #server: Server;
  readonly #counts = new Map<string, AddressCounts>();
  /** Connections that began while another one to the same address was open. */
  overlaps = 0;
  /** Sessions that the client ended without QUIT. */
  broken = 0;
  /** The reply to a new connection at an address; 220 by default. */
  greet: (address: string, connection: number) => string = () => '220 ready';

  private constructor() {
    this.#server = createServer((socket) => {
      const address = socket.localAddress ?? '';
      const counts = this.#counts.get(address) ?? { open: 0, total: 0 };
      this.#counts.set(address, counts);
      counts.total++;
      counts.open++;
      void this.#countOverlap(counts);
      let quit = false;
      let hasEnded = false;
      const end = (): void => {
        if (!hasEnded) counts.open--;
        hasEnded = true;
      };
      socket.setTimeout(IDLE_MS, () => socket.destroy());
      socket.on('data', (octets) => {
        quit = octets.toString().startsWith('QUIT');
        if (!quit || hasEnded) return;
        // The client ends when it receives the reply, so the next visitor may arrive
        // before the close event.
        end();
        socket.end('221 bye\r\n');
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (!quit) this.broken++;
        end();
      });
      socket.write(`${this.greet(address, counts.total)}\r\n`);
    });
  }

  static async open(): Promise<CountingServers> {
    const servers = new CountingServers();
    await new Promise<void>((done) => servers.#server.listen(0, '0.0.0.0', done));
    return servers;
  }

  /**
   * Counts the concurrent connections after all pending events. On a busy machine, the
   * end of one connection and the start of the next can reach one round of the event loop
   * in any order.
   */
  async #countOverlap(counts: AddressCounts): Promise<void> {
    await setImmediate();
    await setImmediate();
    if (counts.open > 1) this.overlaps++;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return [...this.#counts.values()].reduce((sum, { total }) => sum + total, 0);
  }

  /** Returns the maximum number of connections that one address received. */
  get mostAtOneAddress(): number {
    return Math.max(0, ...[...this.#counts.values()].map(({ total }) => total));
  }

  /** Returns the number of open connections. */
  get open(): number {
    return [...this.#counts.values()].reduce((sum, { open }) => sum + open, 0);
  }

  forget(): void {
    this.#counts.clear();
    [this.overlaps, this.broken] = [0, 0];
  }

  close(): void {
    this.#server.close();
  }
}
