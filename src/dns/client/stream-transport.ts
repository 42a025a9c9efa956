import { fail, ok, SingleFlight, type Result } from '../../base/index.js';
import type { Connection, Network } from '../../net/index.js';
import type { Message } from '../wire/message.js';
import { transportFailures } from './failures.js';
import { PipelinedConnection, type StreamQuery } from './pipelined-connection.js';
import type { Upstream } from './upstream.js';

/**
 * Starts TLS on a connection to a resolver and authenticates the server by name
 * (RFC 8310 §8.1).
 */
export type SecureStream = (
  connection: Connection,
  name: string,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<Result<Connection>>;

/**
 * The open TCP and TLS connections, at most one per upstream, which all queries share.
 */
export class ConnectionPool {
  readonly open = new Map<string, PipelinedConnection>();
  readonly opening = new SingleFlight<Result<PipelinedConnection>>();
}

/** The network and time limits of a query. */
export interface TransportOptions {
  readonly network: Network;
  readonly secure: SecureStream;
  readonly connections: ConnectionPool;
  /**
   * Timeout of one UDP query, milliseconds. The timeout of a TCP exchange is three times
   * as long.
   */
  readonly timeoutMs: number;
  /** Maximum UDP queries to one upstream before the lookup fails. */
  readonly attempts: number;
}

/**
 * Maximum connections per query. A server may close the connection after any answer.
 * Unanswered queries are then sent again over a new connection (RFC 7766 §6.2.4
 * [7766-6.2.4-1]).
 */
const MAX_CONNECTIONS = 10;

/**
 * Sends queries over TCP (RFC 7766 §6.2.1) or TLS (RFC 7858 §3.4), and reuses an open
 * connection. Rejects only with `signal.reason`.
 */
export async function askOverStream(
  upstream: Upstream,
  newQuery: () => StreamQuery,
  options: TransportOptions,
  abortSignal?: AbortSignal,
): Promise<Result<Message>> {
  for (let tries = 1; ; tries++) {
    const opened = await openConnection(upstream, options, abortSignal);
    if (!opened.ok) return opened;
    const conversation = opened.value;
    const freshQuery = (): StreamQuery => {
      let query = newQuery();
      while (conversation.isWaiting(query.id)) query = newQuery();
      return query;
    };
    const reply = await conversation.ask(freshQuery, 3 * options.timeoutMs, abortSignal);
    if (reply === 'ended' && conversation.hasAnswered && tries < MAX_CONNECTIONS) continue;
    if (typeof reply !== 'string') return whole(reply, upstream);
    const protocol = upstream.tlsName === undefined ? 'TCP' : 'TLS';
    return fail(transportFailures.make('dns-timeout', `${upstream.label} over ${protocol}`));
  }
}

/**
 * Returns the open connection to an upstream, or opens one that all callers share
 * [7766-6.2.2-1].
 */
function openConnection(
  upstream: Upstream,
  options: TransportOptions,
  abortSignal?: AbortSignal,
): Promise<Result<PipelinedConnection>> {
  const { open, opening } = options.connections;
  const kept = open.get(upstream.label);
  if (kept && !kept.ended) return Promise.resolve(ok(kept));
  return opening.run(
    upstream.label,
    async (until) => {
      const connected = await connect(upstream, options, until);
      if (!connected.ok) return connected;
      const conversation = new PipelinedConnection(connected.value);
      open.set(upstream.label, conversation);
      return ok(conversation);
    },
    abortSignal,
  );
}

/**
 * Connects over TCP. If the upstream has a TLS name, also starts TLS and authenticates
 * the server.
 */
async function connect(
  upstream: Upstream,
  options: TransportOptions,
  abortSignal?: AbortSignal,
): Promise<Result<Connection>> {
  const dialled = await dial(upstream, options, abortSignal);
  if (!dialled.ok || upstream.tlsName === undefined) return dialled;
  const secured = await options.secure(dialled.value, upstream.tlsName, {
    timeoutMs: 3 * options.timeoutMs,
    signal: abortSignal,
  });
  if (secured.ok) return secured;
  dialled.value.close();
  const { code, detail } = secured.failure;
  return fail(transportFailures.make('dns-tls-failed', `${upstream.label}: ${code} ${detail}`));
}

/** Opens a TCP connection, with three times the timeout of a UDP query. */
export async function dial(
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

/**
 * Returns the answer from a stream, or a failure if the answer is truncated. A truncated
 * answer does not prove that the missing records do not exist.
 */
export function whole(message: Message | undefined, { label }: Upstream): Result<Message> {
  if (message && !message.truncated) return ok(message);
  return fail(transportFailures.make('dns-garbled', label));
}
