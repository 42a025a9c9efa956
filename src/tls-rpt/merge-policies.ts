import { groupBy } from '../base/index.js';
import type { FailureDetails, ReportedPolicy } from './report.js';

/**
 * Adds up policies with the same type, domain and text, and their failures that differ
 * only in the count. The result has a canonical order, so the partial counts of several
 * processes may be merged in any order.
 */
export function mergePolicies(policies: readonly ReportedPolicy[]): readonly ReportedPolicy[] {
  return gather(policies, policyKey, (same) => ({
    ...(same[0] as ReportedPolicy),
    totalSuccessfulSessionCount: sum(
      same,
      (reportedPolicy) => reportedPolicy.totalSuccessfulSessionCount,
    ),
    totalFailureSessionCount: sum(
      same,
      (reportedPolicy) => reportedPolicy.totalFailureSessionCount,
    ),
    failureDetails: gather(
      same.flatMap((reportedPolicy) => reportedPolicy.failureDetails),
      failureKey,
      (alike) => ({
        ...(alike[0] as FailureDetails),
        failedSessionCount: sum(alike, (detail) => detail.failedSessionCount),
      }),
    ),
  }));
}

/** Returns a key that is equal for two entries of the same policy. */
function policyKey({ policyType, policyDomain, policyString, mxHost }: ReportedPolicy): string {
  return JSON.stringify([policyDomain ?? '', policyType, policyString, mxHost]);
}

function failureKey(detail: FailureDetails): string {
  return JSON.stringify([
    detail.resultType,
    detail.receivingMxHostname ?? '',
    detail.receivingIp ?? '',
    detail.sendingMtaIp ?? '',
    detail.receivingMxHelo ?? '',
    detail.failureReasonCode ?? '',
    detail.additionalInformation ?? '',
  ]);
}

function gather<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  join: (same: readonly T[]) => T,
): readonly T[] {
  return [...groupBy(items, keyOf)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, same]) => join(same));
}

function sum<T>(items: readonly T[], countOf: (item: T) => number): number {
  return items.reduce((total, item) => total + countOf(item), 0);
}
