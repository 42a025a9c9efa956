import type { Duplex } from 'node:stream';

/**
 * A transport address. `address` is a literal in canonical text (RFC 5952), never a name:
 * {@link Network} does not resolve names.
 */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * The reasons for a failed connection. The codes are stable. Each code is a value, never
 * an exception.
 */
export type NetFailureCode =
  | 'net-refused' // RST or ICMP port unreachable
  | 'net-timeout' // no answer within the time limit
  | 'net-unreachable' // the network reported the host or net as unreachable
  | 'net-no-route' // this machine has no route for the family (no IPv6)
  | 'net-reset' // closed while opening
  | 'net-guarded' // the guard refuses private and special addresses
  | 'net-budget' // this destination's budget is spent
  | 'net-local'; // this machine failed (no descriptors, permission)

/** A failed connection or exchange. */
export interface NetFailure {
  readonly code: NetFailureCode;
  /** The error code of the system, such as ECONNREFUSED. */
  readonly detail: string;
}

/**
 * An open stream with its logical addresses. The addresses of the socket itself are
 * meaningless on a stream of the lab or of a recording.
 */
export interface Connection {
  readonly stream: Duplex;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Closes the connection immediately. Calling it twice is safe. */
  close(): void;
}

/** The destination and time limit of one TCP connection. */
export interface DialRequest extends Endpoint {
  /** Milliseconds until `net-timeout`. Default 15 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** An open connection, or the reason why none was opened. */
export type DialResult =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly failure: NetFailure };

/** One datagram query and the rule that recognises its answer. */
export interface ExchangeRequest {
  readonly to: Endpoint;
  readonly query: Uint8Array;
  /**
   * Returns true if a datagram answers the query. A rejected datagram is dropped and
   * listening continues: accepting the first datagram would permit cache poisoning (RFC
   * 5452 §9.1).
   */
  accept(bytes: Uint8Array, from: Endpoint): boolean;
  /** Milliseconds until `net-timeout`. Default 2 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The octets of the answer, or the reason for its absence. */
export type ExchangeResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly failure: NetFailure };

/**
 * The single port for network traffic. The node implementation is one of several; guard,
 * lab and attackers wrap or replace it. Both methods reject only with `signal.reason`.
 */
export interface Network {
  dial(request: DialRequest): Promise<DialResult>;
  /**
   * Sends one datagram from a new random source port and returns the first acceptable
   * answer.
   */
  exchange(request: ExchangeRequest): Promise<ExchangeResult>;
}
