import { hashFraction } from '../family/sample.js';
import type {
  DomainObservation,
  HostObservation,
  StsObservation,
  VisitObservation,
} from '../facts/observations.js';
import { visitCertificates } from '../facts/visit-certificates.js';

const DAY = 86_400_000;
/** Domains up to this rank of the list are observed each day. */
const LISTED_RANK = 10_000;
/** Share of the interval by which a due time varies, in both directions. */
const JITTER = 0.1;

/** The facts that decide how often a domain is observed. */
export interface DomainPace {
  readonly domain: DomainObservation;
  readonly policy?: StsObservation | undefined;
  /** At least one host has usable TLSA records. */
  readonly tlsa: boolean;
  /** The last observation changed something. */
  readonly changed: boolean;
  /** Rank in the list, from 1. */
  readonly rank?: number | undefined;
}

/**
 * Returns the milliseconds until a domain is observed again: a day with a policy, TLSA
 * records, a change or a high rank, 30 days without mail, 7 days otherwise.
 */
export function domainInterval({ domain, policy, tlsa, changed, rank }: DomainPace): number {
  const hasRecord = policy !== undefined && policy.mtaSts.status !== 'absent';
  if (hasRecord || tlsa || changed || (rank !== undefined && rank < LISTED_RANK)) return DAY;
  const { kind } = domain.route;
  return kind === 'none' || kind === 'null-mx' ? 30 * DAY : 7 * DAY;
}

/** Returns the milliseconds until the DNS facts of a host are looked up again. */
export function hostInterval({ tlsa }: HostObservation): number {
  return tlsa.status === 'absent' ? 7 * DAY : DAY;
}

/**
 * Returns the milliseconds until an address is visited again: 14 days, or earlier on the
 * day after an observed certificate expires. Changed addresses, TLSA records or policies
 * make a visit due at once: see {@link visitIsDue}.
 */
export function visitInterval({ address, observedAt }: VisitObservation): number {
  const now = Date.parse(observedAt);
  const ends = visitCertificates(address)
    .flatMap(([leaf]) => leaf?.notAfter ?? [])
    .filter((end) => end > now)
    .map((end) => end + DAY - now);
  return Math.min(14 * DAY, ...ends);
}

/** The facts of a host and its domain that a visit depends on. */
export interface VisitReason {
  readonly host: HostObservation;
  /** Whether a domain of the host has an MTA-STS policy. */
  readonly policy: boolean;
}

/** Returns whether a change of the facts makes a visit due at once. */
export function visitIsDue(was: VisitReason | undefined, is: VisitReason): boolean {
  if (!was || (is.policy && !was.policy)) return true;
  const facts = ({ host }: VisitReason): string =>
    JSON.stringify([[...host.addresses].sort(), host.tlsa.status, [...host.tlsa.records].sort()]);
  return facts(was) !== facts(is);
}

/**
 * Returns the due time of a name, with a jitter of a tenth of the interval that depends
 * only on the name. Times are milliseconds since 1970.
 */
export function nextDue(name: string, observedAt: number, interval: number): number {
  const shift = (2 * hashFraction('due', name) - 1) * JITTER;
  return Math.round(observedAt + interval * (1 + shift));
}

/**
 * Returns the first due time of an address in a scan, spread over the planned length, so
 * that the scan does not visit all addresses of one provider at the start.
 */
export function firstDue(name: string, startedAt: number, plannedMs: number): number {
  return Math.round(startedAt + hashFraction('first', name) * plannedMs);
}
