import type { Duplex } from 'node:stream';

/**
 * A transport address. `address` is a literal in canonical text (RFC 5952), never a name:
 * the door does not resolve.
 */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * Why a connection could not be had. Stable codes; every one of them is data about the
 * path, never an exception.
 */
export type NetFailureCode =
  | 'net-refused' // RST or ICMP port unreachable
  | 'net-timeout' // nothing came back in time
  | 'net-unreachable' // the network says the host or net cannot be reached
  | 'net-no-route' // this machine has no route for the family (no IPv6)
  | 'net-reset' // closed while opening
  | 'net-guarded' // the guard refuses private and special addresses
  | 'net-budget' // this destination's budget is spent
  | 'net-local'; // this machine failed (no descriptors, permission)

export interface NetFailure {
  readonly code: NetFailureCode;
  /** The system's own word, such as ECONNREFUSED. */
  readonly detail: string;
}

/**
 * An open stream with its logical addresses (over a lab or recorded stream the socket's
 * own addresses mean nothing).
 */
export interface Connection {
  readonly stream: Duplex;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Ends at once, without ceremony. Safe to call twice. */
  close(): void;
}

export interface DialRequest extends Endpoint {
  /** Milliseconds until `net-timeout`. Default 15 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type DialResult =
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly failure: NetFailure };

export interface ExchangeRequest {
  readonly to: Endpoint;
  readonly query: Uint8Array;
  /**
   * Says whether a datagram answers the query. Rejected datagrams are dropped and
   * listening goes on (taking the first would be a poisoning bug).
   */
  accept(bytes: Uint8Array, from: Endpoint): boolean;
  /** Milliseconds until `net-timeout`. Default 2 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type ExchangeResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly failure: NetFailure };

/**
 * The one door: all traffic leaves through this. The node implementation is one of
 * several; guard, budget, recorder, lab and attackers wrap or replace it. Both calls
 * reject only with `signal.reason`.
 */
export interface Network {
  dial(request: DialRequest): Promise<DialResult>;
  /** One datagram out from a fresh random source port, the first acceptable one back. */
  exchange(request: ExchangeRequest): Promise<ExchangeResult>;
}
