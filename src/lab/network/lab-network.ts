import { EventEmitter } from 'node:events';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { followSignals } from '../../base/index.js';
import {
  nodeNetwork,
  type DialResult,
  type Endpoint,
  type ExchangeResult,
  type Network,
} from '../../net/index.js';

/**
 * The service at a logical address. `drop`: packets are lost. `no-route`: this machine
 * has no route to the network.
 */
type Place =
  | { readonly kind: 'open'; readonly target: Endpoint }
  | { readonly kind: 'refuse' | 'drop' | 'no-route' };

const failures = {
  refuse: { code: 'net-refused', detail: 'ECONNREFUSED' },
  'no-route': { code: 'net-no-route', detail: 'ENETUNREACH' },
  drop: { code: 'net-timeout', detail: 'no answer' },
} as const;

/**
 * Maximum time that a caller waits for a dropped packet. The lab knows that no packet
 * will arrive, so the other time limits may be long enough for a busy machine.
 */
const SILENCE_MS = 200;

/** A free loopback port. */
const anywhere: Endpoint = { address: '127.0.0.1', port: 0 };

/**
 * A network of documentation addresses. Each service is a real socket on an ephemeral
 * loopback port; only addresses are mapped. The network needs no privilege, no IPv6 and
 * no fixed port, and many labs run concurrently.
 */
export class LabNetwork implements Network {
  readonly #tcp = new Map<string, Place>();
  readonly #udp = new Map<string, Endpoint>();
  readonly #servers: (Server | UdpSocket)[] = [];
  readonly #sockets = new Set<Socket>();
  /** Emits the hexadecimal octets of each unanswered query. */
  readonly #unanswered = new EventEmitter().setMaxListeners(0);
  /** The network of this machine, used for its loopback interface only. */
  readonly outside: Network = nodeNetwork();

  /**
   * Attaches a TCP service to a logical address. `bind` is the real endpoint of the
   * service; by default an ephemeral port. Rejects if the service cannot listen.
   */
  async listenTcp(
    address: string,
    portNumber: number,
    serve: (socket: Socket) => void,
    endpoint: Endpoint = anywhere,
  ): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined);
      socket.setNoDelay(true);
      serve(socket);
    });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(endpoint.port, endpoint.address, resolve),
    );
    this.#servers.push(server);
    this.attach(address, portNumber, {
      address: endpoint.address,
      port: (server.address() as AddressInfo).port,
    });
  }

  /**
   * Attaches a UDP service to a logical address; undefined leaves the query unanswered.
   */
  async listenUdp(
    address: string,
    port: number,
    answer: (query: Uint8Array, source: string) => Uint8Array | undefined,
    endpoint: Endpoint = anywhere,
  ): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', (query, client) => {
      const reply = answer(query, client.address);
      if (reply) socket.send(reply, client.port, client.address, () => undefined);
      else this.#unanswered.emit(query.toString('hex'));
    });
    await new Promise<void>((resolve, reject) =>
      socket.once('error', reject).bind(endpoint.port, endpoint.address, resolve),
    );
    this.#servers.push(socket);
    this.#udp.set(key({ address, port }), {
      address: endpoint.address,
      port: socket.address().port,
    });
  }

  /** Connects a real server to a logical address. */
  attach(address: string, port: number, target: Endpoint): void {
    this.#tcp.set(key({ address, port }), { kind: 'open', target });
  }

  /** Returns the loopback endpoint of the service at a logical address. */
  targetOf(address: string, port: number): Endpoint | undefined {
    const service = this.#tcp.get(key({ address, port }));
    return service?.kind === 'open' ? service.target : undefined;
  }

  /** Returns every TCP service, by logical address. */
  services(): readonly { readonly at: Endpoint; readonly target: Endpoint }[] {
    return [...this.#tcp].flatMap(([at, place]) => {
      const [address = '', port = ''] = at.split(' ');
      return place.kind === 'open'
        ? [{ at: { address, port: Number(port) }, target: place.target }]
        : [];
    });
  }

  /** Returns a function that restores the current service at an address. */
  keep(address: string, port: number): () => void {
    const service = this.#tcp.get(key({ address, port }));
    return () =>
      void (service
        ? this.#tcp.set(key({ address, port }), service)
        : this.#tcp.delete(key({ address, port })));
  }

  /**
   * Sets the outcome of connections to an address without a service. Connections to
   * unknown addresses are dropped.
   */
  block(address: string, port: number, kind: 'refuse' | 'drop' | 'no-route'): void {
    this.#tcp.set(key({ address, port }), { kind });
  }

  async dial(request: Parameters<Network['dial']>[0]): Promise<DialResult> {
    const { address, port, timeoutMs = 15_000, signal } = request;
    const service: Place = this.#tcp.get(key(request)) ?? { kind: 'drop' };
    if (service.kind !== 'open') {
      if (service.kind === 'drop') await wait(Math.min(timeoutMs, SILENCE_MS), signal);
      return { ok: false, failure: failures[service.kind] };
    }
    const dialled = await this.outside.dial({
      ...service.target,
      timeoutMs,
      signal,
    });
    return dialled.ok
      ? {
          ok: true,
          connection: {
            ...dialled.connection,
            remote: { address, port },
            local: { address: '192.0.2.1', port: dialled.connection.local.port },
          },
        }
      : dialled;
  }

  async exchange(request: Parameters<Network['exchange']>[0]): Promise<ExchangeResult> {
    const target = this.#udp.get(key(request.to));
    const patience = Math.min(request.timeoutMs ?? SILENCE_MS, SILENCE_MS);
    const silence = { ok: false, failure: failures.drop } as const;
    if (!target) {
      await wait(patience, request.signal);
      return silence;
    }
    const query = Buffer.from(request.query).toString('hex');
    try {
      return await followSignals([request.signal], (own) => {
        const end = (): void => own.abort(silence);
        this.#unanswered.once(query, () => void setTimeout(end, patience).unref());
        return this.outside.exchange({ ...request, to: target, signal: own.signal });
      });
    } catch (error) {
      if (error === silence) return silence;
      throw error;
    } finally {
      this.#unanswered.removeAllListeners(query);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.map(
        (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
      ),
    );
  }
}

function key({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}

function wait(ms: number, abortSignal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (abortSignal?.aborted) return reject(abortSignal.reason as Error);
    const timer = setTimeout(done, ms);
    function done(): void {
      abortSignal?.removeEventListener('abort', stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(abortSignal?.reason as Error);
    }
    abortSignal?.addEventListener('abort', stop, { once: true });
  });
}
