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
 * Answers one web request. Jobs export handlers of this form; only `server` listens. If a
 * handler reads more of the body than the site's `maxBody`, the read rejects with the
 * HermeticError `body-too-large`. If the handler throws this error, the client gets
 * status 413; for any other error, 500. If the media type of a response is in
 * `streamedTypes`, the server sends the body while it is produced. Any other body is
 * first read completely.
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
   * Returns whether the site answers a request. `hostName`: in lower case without port.
   * `path`: without query. The server calls this for each request, so the names of a site
   * may change.
   */
  serves(hostName: string, path: string): boolean;
  readonly handle: WebHandler;
  /**
   * Returns an answer that depends on method, host and path only. Such an answer needs no
   * `Request` and `Response`: they would cost time for policies, which are requested most
   * often, and memory for metrics.
   */
  answer?(
    method: string,
    hostName: string,
    path: string,
  ): PlainAnswer | undefined | Promise<PlainAnswer>;
  /**
   * Returns whether the site refuses requests because it is overloaded. During an
   * overload connections to the site wait, and networks take turns.
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
   * While this function is present, the port inspects each hello before TLS does: a
   * client that does not offer `acme-tls/1` must not receive this certificate.
   */
  challengeFor?(): ((serverName: string) => SecureContext | undefined) | undefined;
  /** Maximum octets of a request's body, for all paths or by path. Default 64 KiB. */
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
   * Ends a connection, as the protocol requires, to make room for a new one.
   */
  evict?(connection: Connection): void;
  /** Ends all connections when the port closes, as the protocol requires. */
  end?(): Promise<void>;
}

/** A port for a protocol over UDP, such as DNS. */
export interface DatagramPort {
  /** The name of the port in logs and metrics, such as `sender-dns-udp`. */
  readonly what: string;
  readonly listen: readonly ListenAddress[];
  /**
   * Maximum number of answers to one network in a second; a burst may use four seconds at
   * once.
   */
  readonly perSecond: number;
  /**
   * Returns the answer to one datagram; undefined leaves it unanswered. `truncate`: the
   * network is over its rate, and the answer must not be larger than the question.
   */
  answer(query: Uint8Array, peer: Endpoint, truncate: boolean): Uint8Array | undefined;
}

/** A plain HTTP port that belongs to one job. */
export interface HttpPort {
  /** The name of the port in logs and metrics, such as `pages`. */
  readonly what: string;
  readonly listen: readonly ListenAddress[];
  readonly limits: Pick<PortLimits, 'connections'>;
  readonly sites: readonly SharedPortSite[];
}

/** Limits of a port. Each bounds a resource that clients can exhaust. */
export interface PortLimits {
  /**
   * True if the job itself ends its connections when a reload stops the job. Otherwise
   * the port closes the connections at once, and clients reconnect to the new
   * configuration.
   */
  readonly endedByJob?: boolean;
  /**
   * Maximum number of concurrent connections. Beyond this number the port closes one for
   * each new one.
   */
  readonly connections: number;
  /** Text that a refused client receives, such as an SMTP reply 421. */
  readonly refusal?: string;
  /**
   * True if the port has priority when descriptors are short, because mail cannot be
   * delivered without it.
   */
  readonly essential?: boolean;
  /**
   * Milliseconds without an octet in either direction after which the port closes a
   * connection.
   */
  readonly idleMs: number;
}

/** A part of a job that currently does not work. */
export interface Degraded {
  readonly job: string;
  /** The code of the failure, which `hermetic explain` describes. */
  readonly code: string;
  /** The name of the failing part, such as a mailbox or a domain. */
  readonly subject?: string;
}

/** A running job: its sites, ports and metrics. */
export interface Service {
  readonly sites?: readonly SharedPortSite[];
  /** Sites on the plain HTTP ports of `web.http`. */
  readonly plainSites?: readonly SharedPortSite[];
  readonly ports?: readonly StreamPort[];
  readonly datagramPorts?: readonly DatagramPort[];
  /** Plain HTTP ports that serve only the sites of this job. */
  readonly httpPorts?: readonly HttpPort[];
  /** Returns the metrics of the job, at every scrape. */
  metrics?(): readonly Metric[];
  /**
   * Returns the degraded parts of the job, at every request for `/health` and
   * `hermetic status`.
   */
  degraded?(): readonly Degraded[];
  /**
   * Ends the timers and the work of the job. The daemon itself closes the ports of the
   * job.
   */
  stop?(): Promise<void> | void;
}

/** A job of the daemon: a section of `hermetic.yaml` and the code that runs for it. */
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
   * Returns the tables that the job reads and writes. The daemon migrates them before the
   * job starts. If another process holds the lock, a reload waits without blocking the
   * event loop.
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
   * The network for addresses that other parties supply. It refuses private addresses
   * unless the configuration allows them.
   */
  readonly network: Network;
  /**
   * The network for addresses in the configuration, without a restriction on addresses.
   */
  readonly localNetwork: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  /**
   * The inputs of policy decisions for the daemon's senders: resolver, MTA-STS cache,
   * exemptions.
   */
  readonly policy: PolicyDeps;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The section of the public sender test, for its pages. */
  readonly senderTest?: SenderTestSettings | undefined;
  /** The section `publish`, for the pages that show its plans. */
  readonly publish?: (PublishSection & { readonly everyMinutes: number }) | undefined;
  /** The groups of domains in `pages.customers`, by name. */
  readonly customers?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The section `report`, for the API that accepts reports. */
  readonly report?: ReportSettings | undefined;
  /** Returns the configuration in force as YAML, without secrets. */
  configuration?(): string;
  /**
   * Returns the options of the checks that visitors request in a simulated internet. For
   * a domain outside the simulation returns undefined, and the page refuses the domain.
   */
  checkOptions?(domainName: string): CheckOptions | undefined;
  /** Domains that the check page offers to try. */
  readonly examples?: readonly ExampleDomain[];
}
