import type { SecureContext } from 'node:tls';
import type { z } from 'zod';
import type { Clock } from '../base/index.js';
import type { CheckOptions } from '../check/index.js';
import type { Resolver } from '../dns/index.js';
import type { Connection, Endpoint, Network } from '../net/index.js';
import type { PublishSection } from '../publish/index.js';
import type { SenderTestSettings } from '../sender/settings.js';
import type { PolicyDeps } from '../tls-policy/index.js';
import type { ReportSettings } from '../tls-rpt-receive/index.js';
import type { Store, TableSet } from '../store/index.js';
import type { ExampleDomain } from '../web/index.js';
import type { TrustStore } from '../x509/index.js';
import type { ListenAddress } from './listen-address.js';
import type { Log } from './log.js';
import type { Metric } from './metrics.js';

/**
 * Answers one web request. Jobs export handlers of this form; only `server` listens. The
 * body of the request is bounded by the site's `maxBody`; reading beyond it rejects with
 * a HermeticError `body-too-large`, and an error thrown by a handler becomes status 413
 * or 500. A response of a media type in `streamedTypes` is sent while its body is
 * produced; every other body is read whole first.
 */
export type WebHandler = (request: Request, peer: Endpoint) => Response | Promise<Response>;

/** A complete answer that needs no handler. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A web site on the shared port: selected by host name, and by path if several sites
 * share a name.
 */
export interface SharedPortSite {
  /**
   * Returns whether the site answers a request. `host` in lower case without port, `path`
   * without query. Called for each request, so the names of a site may change.
   */
  serves(hostName: string, path: string): boolean;
  readonly handle: WebHandler;
  /**
   * Returns an answer that depends on method, host and path only. It avoids the cost of a
   * `Request` and a `Response` for policies, which are requested most, and the memory of
   * both for metrics.
   */
  answer?(
    method: string,
    hostName: string,
    path: string,
  ): PlainAnswer | undefined | Promise<PlainAnswer>;
  /**
   * Returns whether the site refuses requests because it is overloaded. During an
   * overload its connections wait, and networks take turns.
   */
  isBusy?(): boolean;
  /**
   * Returns the certificate for a server name (SNI). If undefined, the server asks the
   * next site, and then uses the certificates of the configuration. `refuse`: only a
   * configured certificate for this name is used; without one the handshake fails (RFC
   * 8461 §7.1).
   */
  certificateFor?(serverName: string): SecureContext | 'refuse' | undefined;
  /**
   * Returns the certificate that answers a tls-alpn-01 challenge for a name (RFC 8737).
   * Hellos are inspected before TLS reads them only while this is set: a client that does
   * not offer `acme-tls/1` never receives it.
   */
  challengeFor?(): ((serverName: string) => SecureContext | undefined) | undefined;
  /** Octets of a request's body, for all paths or by path. Default 64 KiB. */
  readonly maxBody?: number | ((path: string) => number | undefined);
}

/** A port for a protocol other than HTTP. */
export interface StreamPort {
  /** The name of the port in logs and metrics, such as `postfix` or `report-smtp`. */
  readonly what: string;
  readonly listen: readonly ListenAddress[];
  readonly limits: PortLimits;
  serve(connection: Connection): void;
  /**
   * Ends a connection that the port closes to make room for a new one, as its protocol
   * requires.
   */
  evict?(connection: Connection): void;
  /** Ends the connections when the port closes, each as its protocol requires. */
  end?(): Promise<void>;
}

/** A port for a protocol over UDP, such as DNS. */
export interface DatagramPort {
  /** For logs and metrics: `sender-dns`. */
  readonly what: string;
  readonly listen: readonly ListenAddress[];
  /** Answers to one network in a second, with a burst of four seconds. */
  readonly perSecond: number;
  /**
   * Returns the answer to one datagram; undefined leaves it unanswered. `truncate`: the
   * network is over its rate, and the answer must not be larger than the question.
   */
  answer(query: Uint8Array, peer: Endpoint, truncate: boolean): Uint8Array | undefined;
}

/** A port of plain HTTP that belongs to one job. */
export interface HttpPort {
  /** For logs and metrics: `pages`. */
  readonly what: string;
  readonly listen: readonly ListenAddress[];
  readonly limits: Pick<PortLimits, 'connections'>;
  readonly sites: readonly SharedPortSite[];
}

/** Limits of a port. Each bounds a resource that clients can claim. */
export interface PortLimits {
  /**
   * True if the job itself ends its connections when a reload stops it. Otherwise they
   * are closed at once, and clients reconnect to the new configuration.
   */
  readonly endedByJob?: boolean;
  /** Maximum number of concurrent connections; for one more, one is closed. */
  readonly connections: number;
  /** Sent to a refused connection, such as a reply 421. */
  readonly refusal?: string;
  /** Has priority when descriptors are short: mail is not delivered without this port. */
  readonly essential?: boolean;
  /** Milliseconds without an octet in either direction until a connection is closed. */
  readonly idleMs: number;
}

/** A function of a job that does not work now. */
export interface Degraded {
  readonly job: string;
  /** Code of the failure, as `hermetic explain` knows it. */
  readonly code: string;
  /** The name of the failing part, such as a mailbox. */
  readonly subject?: string;
}

/** The running part of a job: its sites, ports and metrics. */
export interface Service {
  readonly sites?: readonly SharedPortSite[];
  /** Sites on the ports of plain HTTP. */
  readonly plainSites?: readonly SharedPortSite[];
  readonly ports?: readonly StreamPort[];
  readonly datagramPorts?: readonly DatagramPort[];
  /** Ports of plain HTTP with separate sites. */
  readonly httpPorts?: readonly HttpPort[];
  /** Returns the metrics of the job, at every scrape. */
  metrics?(): readonly Metric[];
  /**
   * Returns the degraded parts of the job, at every request for `/health` and
   * `hermetic status`.
   */
  degraded?(): readonly Degraded[];
  /** Ends the timers and the work of the job; the daemon closes its listeners. */
  stop?(): Promise<void> | void;
}

/** A job of the daemon: a section of `hermetic.yaml` and the code that serves it. */
export interface Job<Section = unknown> {
  readonly section: string;
  readonly schema: z.ZodType<Section>;
  /** Returns the addresses that the job listens on. */
  listens?(settings: Section): readonly ListenAddress[];
  /** Loads the code of the job. */
  load(): Promise<JobCode<Section>>;
}

/** The code of a job. */
export interface JobCode<Section = unknown> {
  /**
   * Returns the tables that the job reads and writes. They are up to date before it
   * starts; a reload waits for the lock of another process without blocking the event
   * loop.
   */
  tables?(settings: Section): readonly TableSet[] | Promise<readonly TableSet[]>;
  start(settings: Section, jobContext: JobContext): Service | Promise<Service>;
  /**
   * Throws HermeticError for a problem that would keep the job from starting. The context
   * is read-only: the check writes nothing and contacts no other machine.
   */
  check?(settings: Section, jobContext: JobContext): void;
}

/** The shared resources that the daemon passes to every job. */
export interface JobContext {
  /**
   * The network for addresses from foreign data, guarded unless the configuration allows
   * private addresses.
   */
  readonly network: Network;
  /** The unguarded network, for addresses of the configuration. */
  readonly localNetwork: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  /** The policy of the daemon's senders: resolver, MTA-STS cache, exemptions. */
  readonly policy: PolicyDeps;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The section of the public sender test, for its pages. */
  readonly senderTest?: SenderTestSettings | undefined;
  /** The section `publish`, for the pages that show its plans. */
  readonly publish?: (PublishSection & { readonly everyMinutes: number }) | undefined;
  /** Groups of domains by name, of `pages.customers`. */
  readonly customers?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The section `report`, for the API that accepts reports. */
  readonly report?: ReportSettings | undefined;
  /** Returns the configuration in force as YAML, without secrets. */
  configuration?(): string;
  /**
   * Returns the options of the checks that visitors ask for, in a simulated internet.
   * Undefined for a domain that is not part of it: the page refuses it.
   */
  checkOptions?(domainName: string): CheckOptions | undefined;
  /** Domains that the check page offers to try. */
  readonly examples?: readonly ExampleDomain[];
}
