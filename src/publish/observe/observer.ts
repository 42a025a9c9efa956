import type { Clock, Name } from '../../base/index.js';
import type { Resolver, Upstream } from '../../dns/index.js';
import type { MailHost } from '../../evidence/index.js';
import type { Network } from '../../net/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { ReportSummary } from '../mta-sts/types.js';

/**
 * How the world is seen: lookups of its own, and what other jobs know, given as
 * functions.
 */
export interface Observer {
  readonly network: Network;
  /** Validating. */
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  readonly httpsPort: number;
  readonly signal?: AbortSignal;
  /**
   * The zone of a name and every server that is asked for it: those of `publish.dns`,
   * else of its NS records. Undefined: could not be told.
   */
  zone(
    name: Name,
    dns: string,
  ): Promise<{ readonly apex: Name; readonly servers: readonly Upstream[] } | undefined>;
  /**
   * Our own check of a mail host, at every address; undefined when it has none or could
   * not be found.
   */
  probe(host: string): Promise<MailHost | undefined>;
  /** TLS-RPT reports on a domain of the last days. */
  reports(domain: string, days: number): readonly ReportSummary[];
}
