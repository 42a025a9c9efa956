import type { Clock, Name } from '../../base/index.js';
import type { Resolver, Upstream } from '../../dns/index.js';
import type { MailHost } from '../../evidence/index.js';
import type { Network } from '../../net/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { ReportSummary } from '../mta-sts/types.js';

/** A zone and the authoritative servers that are queried for its records. */
export interface ObservedZone {
  readonly apex: Name;
  readonly servers: readonly Upstream[];
}

/**
 * The sources of an observation: the network with its resolver, and the results of other
 * jobs, given as functions.
 */
export interface Observer {
  readonly network: Network;
  /** A validating resolver. */
  readonly resolver: Resolver;
  /** Roots for policy hosts and mail hosts. */
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  /** Port of policy hosts; 443 outside of a lab. */
  readonly httpsPort: number;
  readonly signal?: AbortSignal;
  /**
   * Returns the zone of a name and the servers to query: those of `publish.dns`,
   * otherwise those of its NS records; undefined if the zone could not be found.
   */
  zone(domainName: Name, dns: string): Promise<ObservedZone | undefined>;
  /**
   * Checks a mail host at every address; undefined if the host has no address or could
   * not be found.
   */
  probe(hostName: string): Promise<MailHost | undefined>;
  /** Returns the TLS-RPT reports about a domain of the last days. */
  reports(domainName: string, days: number): Promise<readonly ReportSummary[]>;
}
