import { sumSessions, type SessionSums } from '../../tls-rpt-receive/index.js';
import type { Metric } from '../metrics.js';
import type { JobContext } from '../service.js';

/** Days of reports that the metrics cover. */
const DAYS = 7;
const DAY = 86_400_000;
/** Maximum number of domains and MX hosts with samples. */
const MAX_DOMAINS = 1000;

/**
 * The numbers of reported sessions by domain, for the metrics. The job adds them up in
 * each round, not at a scrape: a reporter sends one report a day, and a scrape must not
 * wait for a large database.
 */
export class ReportSessions {
  #sums: readonly SessionSums[] = [];

  /**
   * Adds up the sessions of the last seven days, one domain per turn of the event loop.
   */
  async refresh(
    domains: readonly string[],
    { store, clock }: Pick<JobContext, 'store' | 'clock'>,
    abortSignal: AbortSignal,
  ): Promise<void> {
    const sums: SessionSums[] = [];
    for (const domainName of [...new Set(domains)].slice(0, MAX_DOMAINS)) {
      if (abortSignal.aborted) return;
      const found = sumSessions(store, domainName, clock.now() - DAYS * DAY);
      if (found) sums.push(found);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#sums = sums;
  }

  metrics(): readonly Metric[] {
    return [
      {
        name: 'report_sessions',
        type: 'gauge',
        help: 'Sessions of the last seven days in authenticated TLS-RPT reports.',
        samples: this.#sums.flatMap(({ domain, outcomes }) =>
          outcomes.flatMap(({ type, successful, failed }) => [
            { labels: { domain, policy_type: type, outcome: 'successful' }, value: successful },
            { labels: { domain, policy_type: type, outcome: 'failed' }, value: failed },
          ]),
        ),
      },
      {
        name: 'report_failed_sessions',
        type: 'gauge',
        help: 'Failed sessions of the last seven days by result type (RFC 8460 section 4.3).',
        samples: this.#sums.flatMap(({ domain, results }) =>
          [...results].map(([result, value]) => ({ labels: { domain, result }, value })),
        ),
      },
    ];
  }
}
