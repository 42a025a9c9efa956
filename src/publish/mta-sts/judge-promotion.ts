import { matchMx } from '../../mta-sts/index.js';
import type { PolicyContext, PolicyObservation, DesiredPolicy } from './types.js';

/** Whether a policy may be enforced now. */
export interface Promotion {
  /** The conditions that prevent enforcement; empty if the policy may be enforced. */
  readonly blockers: readonly string[];
  /**
   * The time when the last blocker ends, milliseconds since 1970, if that is known.
   */
  readonly until?: number;
  /**
   * Whether only the waiting time and reports are missing, so that the operator may
   * confirm without them.
   */
  readonly confirmable: boolean;
}

const DAY = 86_400_000;

/**
 * Decides whether a policy may be enforced. Hermetic's own probe has to pass at every
 * address of every MX host, backup hosts included [8461-8.4-2], and signed reports have
 * to show no failure. Only reports with the signature of a configured reporter count,
 * because any HTTPS client can post a report. `announcedMs`: the time since the policy
 * was announced.
 */
export function judgePromotion(
  { state, observed, desired, mx }: PolicyContext,
  announcedMs: number,
): Promotion {
  const { domain, hosts } = state;
  const { days, minReports } = desired;
  const receiving = hosts.map(({ host }) => host);
  const serverBlockers: string[] = receiving
    .filter((hostName) => !mx.some((pattern) => matchMx(pattern, hostName)))
    .map((hostName) => `${hostName} receives mail and is not in the policy`);
  if (hosts.length === 0) serverBlockers.push(`the MX records of ${domain} are not known`);
  for (const hostName of [...mx, ...receiving])
    if (!observed.hosts.some(({ host }) => host === hostName))
      serverBlockers.push(`${hostName} was not checked`);
  serverBlockers.push(...probeFailures(observed));
  const evidenceBlockers: string[] = [];
  const remainingMs = days * DAY - announcedMs;
  if (remainingMs > 0) evidenceBlockers.push(`the policy must be in mode testing for ${days} days`);
  evidenceBlockers.push(...reportedFailures(observed, desired));
  const counted = countedReports(observed, desired).length;
  if (counted < minReports)
    evidenceBlockers.push(
      `${counted} signed reports of the last ${days} days, ${minReports} are needed`,
    );
  const isOnlyTime =
    serverBlockers.length === 0 && evidenceBlockers.length === 1 && remainingMs > 0;
  return {
    blockers: [...serverBlockers, ...evidenceBlockers],
    until: isOnlyTime ? observed.at + remainingMs : undefined,
    confirmable: serverBlockers.length === 0 && evidenceBlockers.length > 0,
  };
}

/** Lists the MX addresses that failed the probe or could not be probed. */
export function probeFailures({ hosts }: PolicyObservation): readonly string[] {
  return hosts.flatMap(({ host, addresses }) => {
    if (addresses.length === 0) return [`${host} was not checked`];
    return addresses
      .filter(({ verdict }) => verdict !== 'pass')
      .map(({ address, why }) => `${host} [${address}] ${why}`);
  });
}

/** Returns the failures that signed reports of the configured days show, as a blocker. */
export function reportedFailures(
  observed: PolicyObservation,
  desired: DesiredPolicy,
): readonly string[] {
  const failed = countedReports(observed, desired).reduce(
    (total, { failures }) => total + failures,
    0,
  );
  if (failed === 0) return [];
  return [`signed reports of the last ${desired.days} days show ${failed} failed sessions`];
}

/**
 * Returns the reports that count as evidence: they arrived by mail in the configured
 * days, with a DKIM signature of a configured reporter that is aligned with the submitter
 * (RFC 8460 §3).
 */
export function countedReports(
  { reports, at }: PolicyObservation,
  { reporters, days }: DesiredPolicy,
): PolicyObservation['reports'] {
  const known = new Set(reporters.map((reporter) => reporter.toLowerCase()));
  const since = new Date(at - days * DAY).toISOString().slice(0, 10);
  return reports.filter(
    ({ via, signedBy, day }) =>
      via === 'mail' && day >= since && signedBy !== undefined && known.has(signedBy.toLowerCase()),
  );
}
