import type { DeliveryOutcome } from '../evidence/index.js';
import type { ReportedPolicy } from '../tls-rpt/index.js';
import { reportedPolicies } from '../send/index.js';

/** What sessions come to in the report of one domain: the unit that is added up. */
export interface SessionEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * Whose TLS-RPT record this is: the domain the report is about. A-labels in lower case.
   */
  readonly domain: string;
  /** The TXT record as it stood then. */
  readonly record: string;
  readonly policy: ReportedPolicy;
}

/**
 * What an attempt to deliver says to those who asked for reports. The domain is the
 * policy's own, which for TLSA is the base domain [8460-1.1-1]; a session that fulfils
 * its policy is a success [8460-4.2.1-1], any other a failure [8460-4.2.2-1] with its
 * reason [8460-4.3-1]; where no server was reached there is nothing to tell
 * [8460-4.3.4-1], and nothing of report mail [8460-3-20].
 */
export function eventsOfOutcome(outcome: DeliveryOutcome): readonly SessionEvent[] {
  const at = Date.parse(outcome.finishedAt);
  return reportedPolicies(outcome).map(({ record, policy }) => ({
    at,
    domain: policy.policyDomain ?? outcome.domain,
    record,
    policy,
  }));
}
