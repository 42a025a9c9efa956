import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { formatIp, parseIp } from '../base/index.js';
import type {
  Connection,
  DialRequest,
  DialResult,
  ExchangeRequest,
  ExchangeResult,
  NetFailure,
  NetFailureCode,
  Network,
} from './types.js';

const DIAL_TIMEOUT = 15_000;
const EXCHANGE_TIMEOUT = 2_000;

const codes: Readonly<Record<string, NetFailureCode>> = {
  ECONNREFUSED: 'net-refused',
  ETIMEDOUT: 'net-timeout',
  EHOSTUNREACH: 'net-unreachable',
  EHOSTDOWN: 'net-unreachable',
  ENETUNREACH: 'net-no-route',
  EADDRNOTAVAIL: 'net-no-route',
  EAFNOSUPPORT: 'net-no-route',
  ECONNRESET: 'net-reset',
  EPIPE: 'net-reset',
};

/**
 * Implements {@link Network} with the sockets of this machine. No other file opens a
 * socket.
 */
export function nodeNetwork(): Network {
  return { dial, exchange };
}

function failureOf(error: Error & { code?: string }): NetFailure {
  return { code: codes[error.code ?? ''] ?? 'net-local', detail: error.code ?? error.message };
}

function dial({
  address,
  port,
  timeoutMs = DIAL_TIMEOUT,
  signal: abortSignal,
}: DialRequest): Promise<DialResult> {
  return new Promise((resolve, reject) => {
    if (abortSignal?.aborted) return reject(abortSignal.reason as Error);
    const socket = connect({ host: address, port, noDelay: true });
    const timer = setTimeout(
      () => finish({ ok: false, failure: { code: 'net-timeout', detail: `${timeoutMs} ms` } }),
      timeoutMs,
    );
    const settle = (): void => {
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', stop);
      socket.removeListener('error', failed);
      // An error on a stream without a listener would end the process.
      socket.on('error', () => undefined);
    };
    const finish = (dialResult: DialResult): void => {
      settle();
      if (!dialResult.ok) socket.destroy();
      resolve(dialResult);
    };
    const failed = (error: Error): void => finish({ ok: false, failure: failureOf(error) });
    const stop = (): void => {
      settle();
      socket.destroy();
      reject(abortSignal?.reason as Error);
    };
    abortSignal?.addEventListener('abort', stop, { once: true });
    socket.once('error', failed);
    socket.once('connect', () => {
      const connection: Connection = {
        stream: socket,
        local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
        remote: { address, port },
        close: () => void socket.destroy(),
      };
      finish({ ok: true, connection });
    });
  });
}

function exchange({
  to,
  query,
  accept,
  timeoutMs = EXCHANGE_TIMEOUT,
  signal: abortSignal,
}: ExchangeRequest): Promise<ExchangeResult> {
  return new Promise((resolve, reject) => {
    if (abortSignal?.aborted) return reject(abortSignal.reason as Error);
    // The socket is bound to port 0, so the kernel selects a new random source port for
    // every query (RFC 5452 §9.2).
    const family = isIPv6(to.address) ? 6 : 4;
    const socket = createSocket({
      type: `udp${family}`,
      // The address needs no lookup.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    const timer = setTimeout(
      () => finish({ ok: false, failure: { code: 'net-timeout', detail: `${timeoutMs} ms` } }),
      timeoutMs,
    );
    const settle = (): void => {
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', stop);
      socket.removeAllListeners('message').on('error', () => undefined);
      socket.close();
    };
    const finish = (exchangeResult: ExchangeResult): void => {
      settle();
      resolve(exchangeResult);
    };
    const stop = (): void => {
      settle();
      reject(abortSignal?.reason as Error);
    };
    abortSignal?.addEventListener('abort', stop, { once: true });
    socket.once('error', (error) => finish({ ok: false, failure: failureOf(error) }));
    socket.on('message', (bytes, from) => {
      const sender = { address: canonical(from.address), port: from.port };
      // RFC 5452 §9.1: an answer comes from the address that was queried; any other
      // datagram is dropped and the socket keeps listening.
      if (sender.port !== to.port || sender.address !== canonical(to.address)) return;
      if (accept(bytes, sender)) finish({ ok: true, bytes });
    });
    socket.send(query, to.port, to.address, (error) => {
      if (error) finish({ ok: false, failure: failureOf(error) });
    });
  });
}

function canonical(address: string): string {
  const ipAddress = parseIp(address.replace(/%.*$/, ''));
  return ipAddress ? formatIp(ipAddress) : address;
}
