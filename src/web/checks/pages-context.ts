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
  /** The guarded network, for addresses that come from foreign data. */
  readonly network: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: {
    info(event: string, fields?: Readonly<Record<string, string | number>>): void;
    error(event: string, fields?: Readonly<Record<string, string | number>>): void;
  };
  /** The section of the public sender test, if the daemon has it. */
  readonly senderTest?: SenderTestSettings | undefined;
  /** The statistics of scans, if the daemon reads their database. */
  readonly statistics?: StatisticsSource | undefined;
  /** Receives reports that programs hand in, if the daemon receives reports. */
  readonly reports?: Receiver | undefined;
  /** The limits that checks share with scans, if the daemon knows their database. */
  readonly sharedAddresses?: SharedAddresses | undefined;
  /** The plans of publishing, if the daemon publishes. */
  readonly plans?: PlanSource | undefined;
  /** Returns the configuration in force as YAML, without secrets. */
  configuration?(): string;
  /**
   * Returns the options of the check of one domain in a simulated internet. Undefined for
   * a domain that is not part of it, which is refused.
   */
  checkOptions?(domainName: string): CheckOptions | undefined;
}
