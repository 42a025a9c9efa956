import type { Clock } from '../../base/index.js';
import type { CheckOptions, SharedAddresses } from '../../check/index.js';
import type { Resolver } from '../../dns/index.js';
import type { Network } from '../../net/index.js';
import type { SenderTestSettings } from '../../sender/settings.js';
import type { Store } from '../../store/index.js';
import type { Receiver } from '../../tls-rpt-receive/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { PlanSource } from '../operator/plan-reader.js';
import type { StatisticsSource } from '../statistics/statistics-source.js';

/** The resources of the daemon that the pages use. */
export interface PagesContext {
  /**
   * A network that refuses private addresses, for addresses that other parties supply.
   */
  readonly network: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: {
    info(event: string, fields?: Readonly<Record<string, string | number>>): void;
    error(event: string, fields?: Readonly<Record<string, string | number>>): void;
  };
  /** The section of the public sender test, if it is configured. */
  readonly senderTest?: SenderTestSettings | undefined;
  /** The statistics of scans, if a database of scans is configured. */
  readonly statistics?: StatisticsSource | undefined;
  /**
   * The receiver of reports that programs submit through the API, if the daemon receives
   * reports.
   */
  readonly reports?: Receiver | undefined;
  /** The limits that checks share with scans, if a database of scans is configured. */
  readonly sharedAddresses?: SharedAddresses | undefined;
  /** The plans of publishing, if the daemon publishes. */
  readonly plans?: PlanSource | undefined;
  /** Returns the configuration in force as YAML, without secrets. */
  configuration?(): string;
  /**
   * Returns the options of the check of one domain in a simulated internet. For a domain
   * outside the simulation returns undefined, and the domain is refused.
   */
  checkOptions?(domainName: string): CheckOptions | undefined;
}
