import { neutralise, parseIp } from '../base/index.js';
import type {
  AppliedPolicy,
  DeliveryAttempt,
  DeliveryOutcome,
  PolicyFailure,
} from '../evidence/index.js';
import type { FailureDetails, ReportedPolicy } from '../tls-rpt/index.js';

/** The contribution of one outcome to the report of one policy domain. */
export interface ReportedOutcome {
  /**
   * The TLS-RPT record of the policy domain, which names the recipients of the report.
   */
  readonly record: string;
  readonly policy: ReportedPolicy;
}

/**
 * Counts one outcome for TLS-RPT (RFC 8460 §4). Returns one entry for each policy whose
 * domain publishes a TLS-RPT record; `mergePolicies` adds entries up. Unreachable servers
 * are not counted (§4.3.4). Mail with `TLS-Required: No` is not counted either: reports
 * carry this field, and two reporters would otherwise send each other reports about
 * reports without end (§5.3).
 */
export function reportedPolicies({
  policies,
  attempts,
  waiver,
}: DeliveryOutcome): readonly ReportedOutcome[] {
  if (waiver?.kind === 'tls-required-no') return [];
  return policies.flatMap((appliedPolicy, index) => {
    const { status, record } = appliedPolicy.tlsRpt;
    if (status !== 'found' || record === undefined) return [];
    const sessions = attempts.flatMap((attempt) =>
      attempt.results
        .filter((policyResult) => policyResult.policy === index)
        .map(({ failure }) => ({ attempt, failure })),
    );
    return sessions.length === 0 ? [] : [{ record, policy: reported(appliedPolicy, sessions) }];
  });
}

interface Session {
  readonly attempt: DeliveryAttempt;
  readonly failure: PolicyFailure | undefined;
}

function reported(appliedPolicy: AppliedPolicy, sessions: readonly Session[]): ReportedPolicy {
  // If the policy could not be fetched or is unusable, every session under it counts as
  // failed, even if TLS succeeded. A failure of the session itself is more precise and
  // takes precedence.
  const failed = sessions.flatMap(({ attempt, failure = appliedPolicy.failure }) =>
    failure ? [details(failure, attempt)] : [],
  );
  return {
    policyType: appliedPolicy.type,
    policyDomain: appliedPolicy.domain,
    policyString: appliedPolicy.strings.map((line) => neutralise(line, 900)),
    mxHost: appliedPolicy.mxHosts,
    totalSuccessfulSessionCount: sessions.length - failed.length,
    totalFailureSessionCount: failed.length,
    failureDetails: failed,
  };
}

function details(
  { resultType, code, detail }: PolicyFailure,
  { host, ip, localIp, greeting }: DeliveryAttempt,
): FailureDetails {
  const helo = greeting === undefined || greeting === '' ? undefined : neutralise(greeting, 255);
  return {
    resultType,
    sendingMtaIp: localIp !== undefined && parseIp(localIp) ? localIp : undefined,
    receivingMxHostname: host,
    receivingMxHelo: helo,
    receivingIp: ip,
    failedSessionCount: 1,
    additionalInformation: undefined,
    failureReasonCode: neutralise(detail === '' ? code : `${code}: ${detail}`, 200),
  };
}
