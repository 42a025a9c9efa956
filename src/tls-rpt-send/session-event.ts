import type { DeliveryOutcome } from '../evidence/index.js';
import type { ReportedPolicy } from '../tls-rpt/index.js';
import { reportedPolicies } from '../send/index.js';

/** One session, as counted in the report of one domain. */
export interface SessionEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * The policy domain, at which the TLS-RPT record is published. A-labels in lower case.
   */
  readonly domain: string;
  /** The TXT record at the time of the session. */
  readonly record: string;
  readonly policy: ReportedPolicy;
}

/**
 * Returns the events of one delivery. The domain of an event is the policy domain, which
 * for TLSA is the TLSA base domain [8460-1.1-1]. A session that meets its policy is a
 * success [8460-4.2.1-1], any other a failure [8460-4.2.2-1] with its reason
 * [8460-4.3-1]. An unreachable server [8460-4.3.4-1] and report mail [8460-3-20] cause no
 * event.
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
