import { randomInt } from 'node:crypto';
import { concat, fail, ok, SingleFlight, type Name, type Result } from '../../base/index.js';
import type { Connection, Network } from '../../net/index.js';
import { decodeMessage, encodeMessage } from '../wire/codec.js';
import type { Message } from '../wire/message.js';
import { RRClass } from '../wire/types-registry.js';
import { PipelinedConnection } from './pipelined-connection.js';
import { transportFailures } from './failures.js';
import type { Upstream } from './upstream.js';

/**
 * Starts TLS on a connection to a resolver and authenticates its name (RFC 8310 §8.1).
 */
export type SecureStream = (
  connection: Connection,
  name: string,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<Result<Connection>>;

/** The open TLS connections, one per upstream, shared by all queries. */
export class TlsConnectionPool {
  readonly open = new Map<string, PipelinedConnection>();
  readonly opening = new SingleFlight<Result<PipelinedConnection>>();
}

/** The network and time limits of a query. */
export interface TransportOptions {
  readonly network: Network;
  readonly secure: SecureStream;
  readonly connections: TlsConnectionPool;
  /** Timeout of one datagram, milliseconds. A TCP exchange gets three times as long. */
  readonly timeoutMs: number;
  /** Datagrams to send before the query fails. */
  readonly attempts: number;
}

/**
 * Header bits of a query: CD and DO for a validating client, AD for one that trusts the
 * resolver (RFC 6840 §5.7, §5.9).
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

/** EDNS UDP payload size that avoids fragmentation on all common paths (RFC 9715). */
const UDP_SIZE = 1232;

/**
 * Sends one query to one resolver: by UDP first, by TCP if the answer is truncated or
 * lacks EDNS, by TLS if the upstream has a TLS name. Rejects only with `signal.reason`.
 */
export async function askUpstream(
  upstream: Upstream,
  { name, type, flags }: UpstreamQuery,
  options: TransportOptions,
  abortSignal?: AbortSignal,
): Promise<Result<Message>> {
  const newQuery = (): Message => queryFor(name, type, flags);
  if (upstream.tlsName !== undefined) return overTls(upstream, newQuery, options, abortSignal);
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
 * Builds a query with a new random id. Every transmission has its own (RFC 5452 §4.2).
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
 * Returns the message if it answers the query: id, question and direction match (RFC 5452
 * §9.1). A bare error without a question section counts.
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
 * Accepts an answer over a stream. A truncated one is a failure: it proves nothing about
 * the absent records.
 */
function whole(query: Message, bytes: Uint8Array, { label }: Upstream): Result<Message> {
  const message = answers(query, bytes);
  if (message && !message.truncated) return ok(message);
  return fail(transportFailures.make('dns-garbled', label));
}

/**
 * Connections per query. A server may close after any answer; queries it did not read are
 * sent again over a new connection.
 */
const MAX_CONNECTIONS = 10;

/** Queries over TLS and reuses an open connection (RFC 7858 §3.4). */
async function overTls(
  upstream: Upstream,
  newQuery: () => Message,
  options: TransportOptions,
  abortSignal?: AbortSignal,
): Promise<Result<Message>> {
  const { open, opening } = options.connections;
  for (let tries = 1; ; tries++) {
    const kept = open.get(upstream.label);
    const opened =
      kept && !kept.ended
        ? ok(kept)
        : await opening.run(
            upstream.label,
            (until) => openTlsConnection(upstream, options, until),
            abortSignal,
          );
    if (!opened.ok) return opened;
    const conversation = opened.value;
    let query = newQuery();
    while (conversation.isWaiting(query.id)) query = newQuery();
    const pipelinedReply = await conversation.ask(
      encodeMessage(query),
      3 * options.timeoutMs,
      abortSignal,
    );
    if (pipelinedReply === 'ended' && conversation.hasAnswered && tries < MAX_CONNECTIONS) continue;
    if (typeof pipelinedReply === 'string')
      return fail(transportFailures.make('dns-timeout', `${upstream.label} over TLS`));
    return whole(query, pipelinedReply, upstream);
  }
}

/** Opens and authenticates a connection, and adds it to the pool. */
async function openTlsConnection(
  upstream: Upstream,
  options: TransportOptions,
  abortSignal: AbortSignal,
): Promise<Result<PipelinedConnection>> {
  const dialled = await dial(upstream, options, abortSignal);
  if (!dialled.ok) return dialled;
  const secured = await options.secure(dialled.value, upstream.tlsName ?? '', {
    timeoutMs: 3 * options.timeoutMs,
    signal: abortSignal,
  });
  if (!secured.ok) {
    dialled.value.close();
    return fail(
      transportFailures.make(
        'dns-tls-failed',
        `${upstream.label}: ${secured.failure.code} ${secured.failure.detail}`,
      ),
    );
  }
  const conversation = new PipelinedConnection(secured.value);
  options.connections.open.set(upstream.label, conversation);
  return ok(conversation);
}

/** Connects by TCP; three times the timeout of a datagram covers its handshakes. */
async function dial(
  upstream: Upstream,
  { network, timeoutMs }: TransportOptions,
  signal?: AbortSignal,
): Promise<Result<Connection>> {
  const dialled = await network.dial({
    address: upstream.address,
    port: upstream.port,
    timeoutMs: 3 * timeoutMs,
    signal,
  });
  if (dialled.ok) return ok(dialled.connection);
  const { code, detail } = dialled.failure;
  return fail(
    transportFailures.make(
      code === 'net-timeout' ? 'dns-timeout' : 'dns-unreachable',
      `${upstream.label} over TCP: ${detail}`,
    ),
  );
}

/** Queries over TCP (RFC 7766) for one answer that does not fit into a datagram. */
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
    return whole(query, bytes, upstream);
  } finally {
    connection.close();
  }
}

/**
 * Reads one length-prefixed message. Resolves to undefined at a timeout or the end of the
 * stream. Buffers at most 64 KiB and the prefix.
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
