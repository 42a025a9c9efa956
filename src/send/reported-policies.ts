import { neutralise, parseIp } from '../base/index.js';
import type {
  AppliedPolicy,
  DeliveryAttempt,
  DeliveryOutcome,
  PolicyFailure,
} from '../evidence/index.js';
import type { FailureDetails, ReportedPolicy } from '../tls-rpt/index.js';

/** What one outcome adds to the report of one policy domain. */
export interface ReportedOutcome {
  /** The TLS-RPT record of the policy domain: where the report goes. */
  readonly record: string;
  readonly policy: ReportedPolicy;
}

/**
 * One outcome as TLS-RPT counts it (RFC 8460 §4): a policy each, for those that asked to
 * hear of it, to be added up with `mergePolicies`. Sessions count; servers that were not
 * reached do not (§4.3.4). Mail that says `TLS-Required: No` is not reported on, so that
 * no two reporters report each other's reports for ever (§5.3).
 */
export function reportedPolicies({
  policies,
  attempts,
  waiver,
}: DeliveryOutcome): readonly ReportedOutcome[] {
  if (waiver?.kind === 'tls-required-no') return [];
  return policies.flatMap((policy, index) => {
    if (policy.tlsRpt.status !== 'found' || policy.tlsRpt.record === undefined) return [];
    const sessions = attempts.flatMap((attempt) =>
      attempt.results
        .filter((result) => result.policy === index)
        .map(({ failure }) => ({ attempt, failure })),
    );
    return sessions.length === 0
      ? []
      : [{ record: policy.tlsRpt.record, policy: reported(policy, sessions) }];
  });
}

interface Session {
  readonly attempt: DeliveryAttempt;
  readonly failure: PolicyFailure | undefined;
}

function reported(policy: AppliedPolicy, sessions: readonly Session[]): ReportedPolicy {
  // A session under a policy that could not be had, or that nobody can use, has failed
  // it, however it went; its own failure says more.
  const failed = sessions.flatMap(({ attempt, failure = policy.failure }) =>
    failure ? [details(failure, attempt)] : [],
  );
  return {
    policyType: policy.type,
    policyDomain: policy.domain,
    policyString: policy.strings.map((line) => neutralise(line, 900)),
    mxHost: policy.mxHosts,
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
