import { randomBytes } from 'node:crypto';
import { concat } from '../../base/index.js';
import type { Connection } from '../../net/index.js';
import {
  buildClientHello,
  buildRecordedHello,
  buildSsl2ClientHello,
  FlightReader,
  KEY_SHARE_RANDOM,
  keyShareOf,
  readSsl2ServerHello,
  RECORDED_HELLO_RANDOM,
  X25519_MLKEM768,
} from '../wire/index.js';
import { senderHellos } from '../sender-hellos.js';
import type { TlsAnswer } from './answer.js';
import { helloFor, type TlsQuestion } from './question.js';

/** One hello over one connection. */
export interface AskHelloRequest {
  /**
   * The connection on which the server expects a ClientHello. The function closes the
   * connection afterwards.
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
/** Milliseconds for the server to close the connection too. */
const FAREWELL = 300;
/**
 * Milliseconds between the two segments of a hello, so that the first segment is sent
 * alone.
 */
const BETWEEN_SEGMENTS = 50;
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
    let later: NodeJS.Timeout | undefined;
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(later);
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
    // A connection reset after a hello is a refusal, as an alert is.
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
    const [first, second] = segmentsOf(question, serverName);
    stream.write(first);
    if (second) later = setTimeout(() => stream.write(second), BETWEEN_SEGMENTS);
    stream.resume();
  });
}

/** Encodes a question as the segments to send. */
function segmentsOf(
  question: AskHelloRequest['question'],
  serverName: string,
): readonly [Uint8Array, Uint8Array?] {
  if (question.kind === 'ssl2') return [buildSsl2ClientHello(randomBytes(16))];
  if (question.kind === 'sender') return [senderHello(question.sender, serverName)];
  const share = question.keyShare && keyShareOf(X25519_MLKEM768, randomBytes(KEY_SHARE_RANDOM));
  const record = buildClientHello({
    ...helloFor(question, randomBytes(64), serverName),
    keyShares: share && [share],
  });
  if (question.segments === undefined) return [record];
  const middle = record.length >> 1;
  return [record.subarray(0, middle), record.subarray(middle)];
}

/** Builds the recorded hello of a sender. Throws for an unknown id. */
function senderHello(id: string, serverName: string): Uint8Array {
  const sender = senderHellos().find((one) => one.id === id);
  if (!sender) throw new RangeError(`no hello of ${id} was recorded`);
  return buildRecordedHello(Buffer.from(sender.hello, 'hex'), {
    random: randomBytes(RECORDED_HELLO_RANDOM),
    serverName,
    omitted: sender.omitted,
  });
}

/**
 * Sends close_notify within a handshake and waits a moment for the server to close: a
 * reset would appear as a fault in the server's log.
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

/** Converts the bytes of a TLS server to an answer. */
class TlsReader {
  readonly #reader = new FlightReader();

  /** Accepts bytes; returns the answer once it is complete. */
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

/** Maximum octets of an SSLv2 answer: its length has two octets. */
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

  /**
   * Returns the answer at the end of the connection: a server that closes without a
   * SERVER-HELLO does not support SSLv2.
   */
  ended(): TlsAnswer {
    return { kind: 'refused' };
  }
}
