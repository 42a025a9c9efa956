import type { CheckResult } from '../../evidence/index.js';
import { matchMx } from '../../mta-sts/index.js';
import { dayOfCheck, NOT_DESCRIBED, type QuotedPolicy } from './facts.js';
import type { FailureGroup } from './group-failures.js';
import { patternsOf } from './quoted.js';

/**
 * Evidence of an outdated policy: the applied policy that does not name the MX host, and
 * the time for which the published policy has named the host. A sender may apply a cached
 * policy until its max_age ends (RFC 8461 §3.2), so only this time distinguishes an
 * outdated copy from a fault of the policy.
 */

/**
 * The results that a sender may report if the MX host matches no pattern of the policy.
 */
const mismatches = new Set(['validation-failure', 'certificate-host-mismatch', NOT_DESCRIBED]);

/**
 * Returns a policy that an affected reporter applied on the days of the failure and that
 * does not name the host.
 */
export function appliedWithout(
  failureGroup: FailureGroup,
  policies: readonly QuotedPolicy[],
): QuotedPolicy | undefined {
  if (failureGroup.type !== 'sts' || failureGroup.mx === '' || !mismatches.has(failureGroup.result))
    return undefined;
  return policies.find(
    (policy) =>
      policy.type === 'sts' &&
      policy.domain === failureGroup.domain &&
      failureGroup.reporters.includes(policy.reporter) &&
      policy.lastDay >= failureGroup.firstDay &&
      policy.firstDay <= failureGroup.lastDay &&
      patternsOf(policy).length > 0 &&
      !patternsOf(policy).some((pattern) => matchMx(pattern, failureGroup.mx)),
  );
}

/**
 * Returns the number of days before the failure since which every check has found the
 * host in the policy; undefined without a check.
 */
export function daysNamed(
  { mx, firstDay }: FailureGroup,
  checks: readonly CheckResult[],
): number | undefined {
  const before = checks.filter(
    (check) => dayOfCheck(check) <= firstDay && check.mtaSts.status === 'found',
  );
  const naming = (check: CheckResult): boolean =>
    (check.mtaSts.mx ?? []).some((pattern) => matchMx(pattern, mx));
  if (before.length === 0) return undefined;
  const last = before.findLastIndex((check) => !naming(check));
  const first = before[last + 1];
  return first ? Math.max(1, firstDay - dayOfCheck(first)) : 0;
}

/**
 * Returns the number of days for which all other reporters, at least two, have quoted
 * only policies that name the host. Returns undefined unless one of them had quoted a
 * policy without the host before: without this change the policy of the affected reporter
 * may be the newer one.
 */
export function daysReplaced(
  applied: QuotedPolicy,
  exchanger: string,
  policies: readonly QuotedPolicy[],
): number | undefined {
  const others = policies.filter(
    (policy) =>
      policy.type === 'sts' &&
      policy.domain === applied.domain &&
      policy.reporter !== applied.reporter &&
      patternsOf(policy).length > 0,
  );
  const isNaming = (policy: QuotedPolicy): boolean =>
    patternsOf(policy).some((m) => matchMx(m, exchanger));
  const without = others.filter((policy) => !isNaming(policy));
  const changed = Math.max(...without.map((policy) => policy.lastDay));
  const naming = others.filter((policy) => isNaming(policy) && policy.lastDay >= applied.lastDay);
  if (without.length === 0 || new Set(naming.map((policy) => policy.reporter)).size < 2)
    return undefined;
  return applied.lastDay - Math.max(changed + 1, ...naming.map((policy) => policy.firstDay));
}
