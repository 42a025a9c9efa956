import { matchMx } from '../../mta-sts/index.js';
import type { PolicyReading, PolicyState, DesiredPolicy } from './types.js';

export interface Promotion {
  /** Why not yet; empty: enforce. */
  readonly holds: readonly string[];
  readonly until?: number;
  /** Only time and reports are missing: a person may decide without them. */
  readonly byPerson: boolean;
}

const DAY = 86_400_000;

/**
 * Whether a policy may be enforced. Our own probe has to pass at every address of every
 * MX host, backups too [8461-8.4-2], and reports have to show no failure. Only signed
 * reports of configured reporters count: anybody can post one over HTTPS.
 */
export function judgePromotion(
  { domain, hosts }: PolicyState,
  seen: PolicyReading,
  wish: DesiredPolicy,
  mx: readonly string[],
  inForceMs: number,
): Promotion {
  const servers: string[] = [];
  for (const { host } of hosts) {
    if (!mx.some((pattern) => matchMx(pattern, host)))
      servers.push(`${host} receives mail and is not in the policy`);
  }
  if (hosts.length === 0) servers.push(`the MX records of ${domain} are not known`);
  for (const host of [...mx, ...hosts.map((h) => h.host)])
    if (!seen.hosts.some((h) => h.host === host)) servers.push(`${host} was not checked`);
  servers.push(...probedTroubles(seen));
  const others: string[] = [];
  const due = seen.at + wish.days * DAY - inForceMs;
  if (inForceMs < wish.days * DAY) others.push(`it has to be in testing for ${wish.days} days`);
  const counted = countedReports(seen, wish);
  others.push(...reportedFailures(seen, wish));
  if (counted.length < wish.leastReports)
    others.push(
      `${counted.length} signed reports of the last ${wish.days} days, ${wish.leastReports} are needed`,
    );
  return {
    holds: [...servers, ...others],
    ...(servers.length === 0 && others.length === 1 && inForceMs < wish.days * DAY
      ? { until: due }
      : {}),
    byPerson: servers.length === 0 && others.length > 0,
  };
}

/** What our own probe found wrong with MX hosts, or could not find out. */
export function probedTroubles({ hosts }: PolicyReading): readonly string[] {
  return hosts.flatMap(({ host, addresses }) => {
    if (addresses.length === 0) return [`${host} was not checked`];
    return addresses
      .filter(({ verdict }) => verdict !== 'pass')
      .map(({ address, why }) => `${host} [${address}] ${why}`);
  });
}

/** What signed reports of the configured days tell of failures, as a reason to hold. */
export function reportedFailures(seen: PolicyReading, wish: DesiredPolicy): readonly string[] {
  const failed = countedReports(seen, wish).reduce((n, { failures }) => n + failures, 0);
  return failed > 0
    ? [`signed reports of the last ${wish.days} days tell of ${failed} failed sessions`]
    : [];
}

/**
 * Reports of the configured days that came by mail, with a DKIM signature of a configured
 * reporter that is aligned with the submitter (RFC 8460 §3).
 */
export function countedReports(
  { reports, at }: PolicyReading,
  { reporters, days }: DesiredPolicy,
): PolicyReading['reports'] {
  const known = new Set(reporters.map((r) => r.toLowerCase()));
  const since = new Date(at - days * DAY).toISOString().slice(0, 10);
  return reports.filter(
    ({ via, signedBy, day }) =>
      via === 'mail' && day >= since && signedBy !== undefined && known.has(signedBy.toLowerCase()),
  );
}
