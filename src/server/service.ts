import type { SecureContext } from 'node:tls';
import type { z } from 'zod';
import type { Clock } from '../base/index.js';
import type { Resolver } from '../dns/index.js';
import type { Connection, Endpoint, Network } from '../net/index.js';
import type { PolicyDeps } from '../tls-policy/index.js';
import type { Store } from '../store/index.js';
import type { TrustStore } from '../x509/index.js';
import type { ListenAddress } from './listen-address.js';
import type { Log } from './log.js';
import type { Metric } from './metrics.js';

/**
 * Answers one web request. Jobs export handlers of this form; only `server` listens. The
 * body of the request is bounded by the site's `maxBody`; reading beyond it rejects with
 * a HermeticError `body-too-large`, and what a handler throws becomes status 413 or 500.
 */
export type WebHandler = (request: Request, peer: Endpoint) => Response | Promise<Response>;

/** A whole answer at hand. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A web site on the shared port: found by host name, and where several share a name by
 * path.
 */
export interface Site {
  /**
   * `host` in lower case without port, `path` without query. Asked for each request, so a
   * site may serve names that come and go.
   */
  serves(host: string, path: string): boolean;
  readonly handle: WebHandler;
  /**
   * An answer that needs no more of the request than this: given without building a
   * `Request` and reading a `Response`.
   */
  answer?(method: string, host: string, path: string): PlainAnswer | undefined;
  /**
   * The certificate for a name asked for by SNI; undefined leaves it to the next site and
   * then to the certificates of the configuration, `refuse` to those of them alone that
   * are for this name: where none is, the handshake ends (RFC 8461 §7.1).
   */
  certificateFor?(serverName: string): SecureContext | 'refuse' | undefined;
  /**
   * The certificate that answers a tls-alpn-01 challenge for a name (RFC 8737). Only
   * while this is there are hellos looked into before TLS sees them: a client that does
   * not ask for `acme-tls/1` never meets it.
   */
  challengeFor?(): ((serverName: string) => SecureContext | undefined) | undefined;
  /** Octets of a request's body. Default 64 KiB. */
  readonly maxBody?: number;
}

/** A port of its own for a protocol of its own. */
export interface StreamPort {
  /** For logs and metrics: `postfix`, `report-smtp`. */
  readonly what: string;
  readonly listen: readonly ListenAddress[];
  readonly limits: PortLimits;
  serve(conn: Connection): void;
  /** Ends a connection that gives way to a newcomer, as its protocol asks. */
  evict?(conn: Connection): void;
  /** Ends the connections when the port closes, each as its protocol asks. */
  end?(): Promise<void>;
}

export interface PortLimits {
  /**
   * A reload leaves its connections to the job, which ends them when it stops. Without it
   * they are asked at once to come again.
   */
  readonly endedByJob?: boolean;
  /** Connections at one time; one more, and one gives way. */
  readonly connections: number;
  /** Sent to a newcomer that finds no place, such as a reply 421. */
  readonly refusal?: string;
  /**
   * Keeps its places when there are few descriptors: mail is not delivered without this
   * port.
   */
  readonly essential?: boolean;
  /** Milliseconds without an octet in either direction until a connection is closed. */
  readonly idleMs: number;
}

/** What a job runs in the daemon. */
export interface Service {
  readonly sites?: readonly Site[];
  /** Sites on the ports of plain HTTP. */
  readonly plainSites?: readonly Site[];
  readonly ports?: readonly StreamPort[];
  /** Read at every scrape. */
  metrics?(): readonly Metric[];
  /** Ends timers and work of its own; listeners are closed by the server. */
  stop?(): Promise<void> | void;
}

/**
 * How a job comes into the daemon: its section of `hermetic.yaml`, and what to do with
 * it. One file each in `server/jobs`.
 */
export interface Job<Section = unknown> {
  readonly section: string;
  readonly schema: z.ZodType<Section>;
  start(settings: Section, house: JobContext): Service | Promise<Service>;
  /** Addresses that the job listens on. */
  listens?(settings: Section): readonly ListenAddress[];
  /**
   * Throws HermeticError for what would keep the job from starting. `house` can be read
   * alone: nothing is written, and no other machine is asked.
   */
  check?(settings: Section, house: JobContext): void;
}

/** What the daemon gives to every job. */
export interface JobContext {
  /**
   * For addresses that come from foreign data: guarded unless the configuration says
   * otherwise.
   */
  readonly network: Network;
  /** Unguarded, for addresses of the configuration. */
  readonly localNetwork: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  /** What a sender decides by: resolver, MTA-STS cache, exemptions. */
  readonly policy: PolicyDeps;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}
