import { connect, type Server as Listener, type Socket } from 'node:net';
import type { Endpoint } from '../../../src/net/index.js';
import { listen } from './starttls-front.js';

/** The traffic since the previous call of `take`. */
export interface Traffic {
  readonly connections: number;
  /** Octets from the client and from the server. */
  readonly up: number;
  readonly down: number;
}

const nothing: Traffic = { connections: 0, up: 0, down: 0 };

/** Relays and counts the traffic between every client and one server. */
export class CountingProxy {
  #seen = { ...nothing } as { -readonly [K in keyof Traffic]: Traffic[K] };

  #listener: Listener | undefined;

  private constructor(readonly at: Endpoint) {}

  static async start(target: Endpoint, at: Endpoint): Promise<CountingProxy> {
    const proxy = new CountingProxy(at);
    proxy.#listener = (
      await listen((client) => proxy.#pass(client, target), at.port, at.address)
    ).listener;
    return proxy;
  }

  /** Returns the counts of the current run and resets them to zero. */
  take(): Traffic {
    const seen = this.#seen;
    this.#seen = { ...nothing };
    return seen;
  }

  stop(): void {
    this.#listener?.close();
  }

  #pass(client: Socket, { address, port }: Endpoint): void {
    this.#seen.connections++;
    const server = connect({ host: address, port, noDelay: true });
    client.setNoDelay(true);
    client.on('data', (bytes: Buffer) => (this.#seen.up += bytes.length));
    server.on('data', (bytes: Buffer) => (this.#seen.down += bytes.length));
    client.on('error', () => server.destroy()).on('close', () => server.end());
    server.on('error', () => client.destroy()).on('close', () => client.end());
    client.pipe(server);
    server.pipe(client);
  }
}
