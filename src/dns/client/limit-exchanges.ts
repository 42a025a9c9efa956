import type {
  DialRequest,
  DialResult,
  ExchangeRequest,
  ExchangeResult,
  Network,
} from '../../net/index.js';

/**
 * A network with a limit on concurrent datagram exchanges, because each opens a socket
 * and a process has few file descriptors. Further exchanges wait in order. The timeout of
 * an exchange begins when it is sent.
 */
export class LimitedExchanges implements Network {
  #active = 0;
  /** Exchanges that wait for their turn, in order. */
  readonly #waiting = new Set<() => void>();

  constructor(
    private readonly network: Network,
    private readonly limit: number,
  ) {}

  dial(request: DialRequest): Promise<DialResult> {
    return this.network.dial(request);
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeResult> {
    if (this.#active >= this.limit) await this.#turn(request.signal);
    else this.#active++;
    try {
      return await this.network.exchange(request);
    } finally {
      this.#leave();
    }
  }

  /** Resolves once another exchange has ended and this exchange may start. */
  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(enter);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.add(enter);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#active--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
