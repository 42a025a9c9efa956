import { randomInt } from 'node:crypto';
import { concat, fail, ok, type Name, type Result } from '../../base/index.js';
import type { Connection } from '../../net/index.js';
import { decodeMessage, encodeMessage } from '../wire/codec.js';
import type { Message } from '../wire/message.js';
import { RRClass } from '../wire/types-registry.js';
import { transportFailures } from './failures.js';
import { askOverStream, dial, whole, type TransportOptions } from './stream-transport.js';
import type { StreamQuery } from './pipelined-connection.js';
import type { Upstream } from './upstream.js';

/**
 * Header bits of a query: CD and DO for a validating client, AD for a client that trusts
 * the resolver (RFC 6840 §5.7, §5.9).
 */
export interface QueryFlags {
  readonly checkingDisabled: boolean;
  readonly authenticData: boolean;
}

/** One query to an upstream. */
export interface UpstreamQuery {
  readonly name: Name;
  readonly type: number;
  readonly flags: QueryFlags;
}

/**
 * Advertised EDNS UDP payload size; it avoids fragmentation on all common paths
 * (RFC 9715).
 */
const UDP_SIZE = 1232;

/**
 * Sends one query to one upstream: over UDP first, and over TCP if the answer is
 * truncated or lacks EDNS. If the upstream is configured for TCP or TLS, uses its open
 * connection. Rejects only with `signal.reason`.
 */
export async function askUpstream(
  upstream: Upstream,
  { name, type, flags }: UpstreamQuery,
  options: TransportOptions,
  abortSignal?: AbortSignal,
): Promise<Result<Message>> {
  const newQuery = (): Message => queryFor(name, type, flags);
  if (upstream.tlsName !== undefined || upstream.transport === 'tcp') {
    const newStreamQuery = (): StreamQuery => {
      const query = newQuery();
      return {
        id: query.id,
        bytes: encodeMessage(query),
        accept: (bytes) => answers(query, bytes),
      };
    };
    return askOverStream(upstream, newStreamQuery, options, abortSignal);
  }
  for (let attempt = 1; ; attempt++) {
    const query = newQuery();
    let message: Message | undefined;
    const exchanged = await options.network.exchange({
      to: upstream,
      query: encodeMessage(query),
      accept: (bytes) => (message = answers(query, bytes)) !== undefined,
      timeoutMs: options.timeoutMs * attempt,
      signal: abortSignal,
    });
    if (exchanged.ok) {
      message ??= answers(query, exchanged.bytes);
      if (!message) return fail(transportFailures.make('dns-garbled', upstream.label));
      if (!message.truncated && message.edns) return ok(message);
      const again = await overTcp(upstream, newQuery, options, abortSignal);
      if (again.ok || message.truncated) return again;
      return ok(message);
    }
    if (exchanged.failure.code !== 'net-timeout')
      return fail(
        transportFailures.make('dns-unreachable', `${upstream.label}: ${exchanged.failure.detail}`),
      );
    if (attempt >= options.attempts)
      return fail(transportFailures.make('dns-timeout', upstream.label));
  }
}

/**
 * Builds a query with a new random id. Every transmission has its own id (RFC 5452 §4.2).
 */
function queryFor(
  name: Name,
  type: number,
  { checkingDisabled, authenticData }: QueryFlags,
): Message {
  return {
    id: randomInt(65536),
    opcode: 0,
    rcode: 0,
    response: false,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData,
    checkingDisabled,
    questions: [{ name, type, class: RRClass.IN }],
    answers: [],
    authorities: [],
    additionals: [],
    edns: { version: 0, udpSize: UDP_SIZE, dnssecOk: true, options: [] },
  };
}

/**
 * Returns the message if it answers the query: it is a response with the same id and
 * question (RFC 5452 §9.1). An error response without a question section also matches.
 */
function answers(query: Message, bytes: Uint8Array): Message | undefined {
  const decoded = decodeMessage(bytes);
  if (
    !decoded.ok ||
    !decoded.value.response ||
    decoded.value.id !== query.id ||
    decoded.value.opcode !== 0
  )
    return undefined;
  const [asked] = query.questions;
  const [echoed] = decoded.value.questions;
  if (!echoed) {
    if (decoded.value.rcode === 0) return undefined;
    return decoded.value;
  }
  if (
    asked &&
    echoed.type === asked.type &&
    echoed.class === asked.class &&
    echoed.name.equals(asked.name)
  )
    return decoded.value;
  return undefined;
}

/**
 * Sends the query over TCP because the answer does not fit into a datagram (RFC 7766 §5
 * [7766-5-1]).
 */
async function overTcp(
  upstream: Upstream,
  newQuery: () => Message,
  options: TransportOptions,
  abortSignal?: AbortSignal,
): Promise<Result<Message>> {
  const dialled = await dial(upstream, options, abortSignal);
  if (!dialled.ok) return dialled;
  const connection = dialled.value;
  try {
    const query = newQuery();
    const bodyBytes = encodeMessage(query);
    connection.stream.write(
      concat(Uint8Array.of(bodyBytes.length >> 8, bodyBytes.length & 255), bodyBytes),
    );
    const bytes = await readFramed(connection, 3 * options.timeoutMs, abortSignal);
    if (!bytes) return fail(transportFailures.make('dns-timeout', `${upstream.label} over TCP`));
    return whole(answers(query, bytes), upstream);
  } finally {
    connection.close();
  }
}

/**
 * Reads one length-prefixed message. Resolves to undefined at the timeout or at the end
 * of the stream. Buffers at most 64 KiB and the length prefix.
 *
 *   octets   field (RFC 1035 §4.2.2)
 *   2        length of the message
 *   length   message
 */
export function readFramed(
  connection: Connection,
  timeoutMs: number,
  abortSignal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    const finish = (bytes: Uint8Array | undefined): void => {
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', stop);
      connection.stream.removeAllListeners('data');
      resolve(bytes);
    };
    const stop = (): void => {
      reject(abortSignal?.reason as Error);
      finish(undefined);
    };
    if (abortSignal?.aborted) return stop();
    abortSignal?.addEventListener('abort', stop, { once: true });
    connection.stream.once('error', () => finish(undefined));
    connection.stream.once('close', () => finish(undefined));
    connection.stream.on('data', (piece: Buffer) => {
      received = Buffer.concat([received, piece]);
      if (received.length < 2) return;
      const length = received.readUInt16BE(0);
      if (received.length >= 2 + length) finish(new Uint8Array(received.subarray(2, 2 + length)));
    });
  });
}
