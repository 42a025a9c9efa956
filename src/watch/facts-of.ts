import type { CheckResult } from '../evidence/index.js';
import type { WatchedFacts } from './types.js';

/**
 * Returns the dates and the policy mode that a certain result shows. A host that showed no
 * certificate, and a policy that could not be fetched, keep the facts of `before`. Pure.
 */
export function watchedFactsOf(checkResult: CheckResult, before?: WatchedFacts): WatchedFacts {
  const { domain: domainName, hosts, mtaSts, signatures = [] } = checkResult;
  const mailHosts = hosts.map(({ name, addresses }) => ({
    host: name,
    role: 'mx' as const,
    ends: addresses.flatMap(({ certificates }) => certificates.map(({ notAfter }) => notAfter)),
  }));
  const policyHost = {
    host: `mta-sts.${domainName}`,
    role: 'policy-host' as const,
    ends: (mtaSts.addresses ?? []).flatMap(({ notAfter }) => notAfter ?? []),
  };
  return {
    certificates: [...mailHosts, policyHost].flatMap(({ host, role, ends }) => {
      const known = before?.certificates.find((one) => one.host === host && one.role === role);
      const notAfter = earliest(ends) ?? known?.notAfter;
      return notAfter === undefined ? [] : [{ host, role, notAfter }];
    }),
    signatureNotAfter: earliest(signatures.map(({ notAfter }) => notAfter)),
    policyMode: modeOf(mtaSts) ?? before?.policyMode ?? 'absent',
  };
}

/** Returns the policy mode; undefined if the fetch of the policy failed temporarily. */
function modeOf({ status, mode }: CheckResult['mtaSts']): WatchedFacts['policyMode'] | undefined {
  if (status === 'tempfail') return undefined;
  return status === 'found' ? (mode ?? 'absent') : 'absent';
}

/** Returns the milliseconds since 1970 of the first of these times (RFC 3339). */
function earliest(times: readonly string[]): number | undefined {
  const known = times.map((time) => Date.parse(time)).filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.min(...known);
}
