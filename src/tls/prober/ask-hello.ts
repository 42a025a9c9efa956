import { randomBytes } from 'node:crypto';
import { concat } from '../../base/index.js';
import type { Connection } from '../../net/index.js';
import {
  buildClientHello,
  buildSsl2ClientHello,
  FlightReader,
  readSsl2ServerHello,
} from '../wire/index.js';
import type { TlsAnswer } from './answer.js';
import { helloFor, type TlsQuestion } from './question.js';

/** One hello over one connection. */
export interface AskHelloRequest {
  /**
   * The connection on which the server expects a ClientHello. It is closed afterwards.
   */
  readonly connection: Connection;
  readonly question: Exclude<TlsQuestion, { kind: 'handshake' }>;
  /** SNI: a host name in A-labels. */
  readonly serverName: string;
  /** Milliseconds for the whole answer. Default 15 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Milliseconds for the answer. */
const TIMEOUT = 15_000;
/** Milliseconds for the server to hang up in its turn. */
const FAREWELL = 300;
/**
 * A close_notify alert (RFC 5246 §7.2.1): it signals that this client ends the handshake.
 */
const goodbye = Uint8Array.of(21, 3, 1, 0, 2, 1, 0);

/**
 * Sends one hello, reads as much of the answer as possible, sends close_notify and
 * disconnects. Rejects only with `signal.reason`.
 */
export function askHello({
  connection,
  question,
  serverName,
  timeoutMs = TIMEOUT,
  signal: abortSignal,
}: AskHelloRequest): Promise<TlsAnswer> {
  const { stream } = connection;
  return new Promise((resolve, reject) => {
    const reader = question.kind === 'ssl2' ? new Ssl2Reader() : new TlsReader();
    const settle = (): void => {
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', stop);
      stream.off('data', take).off('end', ended).off('close', ended).off('error', broke);
      stream.on('error', () => undefined);
    };
    const finish = (tlsAnswer: TlsAnswer): void => {
      settle();
      void leave(connection, tlsAnswer.kind === 'hello').then(() => resolve(tlsAnswer));
    };
    const take = (bytes: Uint8Array): void => {
      const tlsAnswer = reader.push(bytes);
      if (tlsAnswer) finish(tlsAnswer);
    };
    const ended = (): void => finish(reader.ended());
    // A server that resets the connection at a hello refuses it as much as one that sends
    // an alert.
    const broke = (): void => finish(reader.ended());
    const stop = (): void => {
      settle();
      connection.close();
      reject(abortSignal?.reason as Error);
    };
    const timer = setTimeout(() => finish({ kind: 'none', reason: 'tls-timeout' }), timeoutMs);
    if (abortSignal?.aborted) return stop();
    abortSignal?.addEventListener('abort', stop, { once: true });
    stream.on('data', take).on('end', ended).on('close', ended).on('error', broke);
    stream.write(
      question.kind === 'ssl2'
        ? buildSsl2ClientHello(randomBytes(16))
        : buildClientHello(helloFor(question, randomBytes(64), serverName)),
    );
    stream.resume();
  });
}

/**
 * Sends close_notify within a handshake and waits a moment for the server to close: a
 * reset would look like a fault in its log.
 */
function leave({ stream, close }: Connection, amid: boolean): Promise<void> {
  return new Promise((resolve) => {
    const gone = (): void => {
      clearTimeout(timer);
      stream.off('end', gone).off('close', gone);
      close();
      resolve();
    };
    const timer = setTimeout(gone, FAREWELL);
    stream.once('end', gone).once('close', gone).resume();
    if (stream.readableEnded || stream.destroyed) gone();
    else if (amid) stream.end(goodbye);
    else stream.end();
  });
}

/** Turns the bytes of a TLS server into an answer. */
class TlsReader {
  readonly #reader = new FlightReader();

  /** Takes bytes; returns the answer once it is complete. */
  push(bytes: Uint8Array): TlsAnswer | undefined {
    if (this.#reader.push(bytes) === 'more') return undefined;
    return this.ended();
  }

  /** Returns the answer of a server that has closed the connection. */
  ended(): TlsAnswer {
    const { state, flight, problem } = this.#reader;
    if (flight.hello) return { kind: 'hello', flight };
    if (state === 'broken')
      return {
        kind: 'none',
        reason: problem === 'not a TLS record' ? 'tls-garbage' : 'tls-failed',
      };
    if (flight.alert) return { kind: 'refused', alert: flight.alert.description };
    return { kind: 'refused' };
  }
}

/** An SSLv2 answer is at most 32 KiB: two length octets. */
class Ssl2Reader {
  #bytes: Uint8Array = new Uint8Array(0);

  push(bytes: Uint8Array): TlsAnswer | undefined {
    this.#bytes = concat(this.#bytes, bytes.subarray(0, 65_536 - this.#bytes.length));
    const read = readSsl2ServerHello(this.#bytes);
    if (read.state === 'more') {
      if (this.#bytes.length >= 65_536) return { kind: 'refused' };
      return undefined;
    }
    if (read.state === 'accepted') return { kind: 'ssl2', ciphers: read.ciphers };
    return { kind: 'refused' };
  }

  /** A server that closes without a SERVER-HELLO does not speak SSLv2. */
  ended(): TlsAnswer {
    return { kind: 'refused' };
  }
}
