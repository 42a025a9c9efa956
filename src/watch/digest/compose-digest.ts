import { formatTime } from '../../base/index.js';
import { openAlarms } from '../decide-alarms.js';
import type { DomainState, WatchAlarm, WatchState } from '../types.js';

const DAY = 86_400_000;
/** Number of days before its expiry from which a certificate is listed. */
const CERTIFICATE_DAYS = 21;
/**
 * Number of days before its expiry from which a DNSSEC signature is listed: signers renew
 * signatures days before they expire.
 */
const SIGNATURE_DAYS = 3;
/** Maximum numbers of changes and dates that are listed. */
const MAX_CHANGES = 50;
const MAX_UPCOMING = 50;

/** TLS reports about a domain in the period. */
export interface DigestReports {
  readonly failing: boolean;
  readonly successful: number;
  readonly failed: number;
  /** The state in one sentence. */
  readonly says: string;
}

/**
 * The facts from which the digest of a period is composed. Times are milliseconds since
 * 1970.
 */
export interface DigestFacts {
  readonly from: number;
  readonly until: number;
  /** The watched domains. */
  readonly domains: readonly string[];
  readonly state: WatchState;
  /** Alarms of the period, newest first. */
  readonly changes: readonly WatchAlarm[];
  /** By domain; a domain without reports is absent. */
  readonly reports: ReadonlyMap<string, DigestReports>;
  readonly next: number;
}

/** The state of one domain in a digest. */
export interface DigestDomain {
  readonly domain: string;
  /** `unknown`: no certain result of a check. */
  readonly status: 'attention' | 'unknown' | 'good';
  /** The last verdict; absent before the first check. */
  readonly verdict?: string | undefined;
  /** Time of the last certain check. */
  readonly checkedAt?: string | undefined;
  /** The faults whose alarms are open. */
  readonly faults: readonly string[];
  readonly changes: number;
  readonly sessions?: { readonly successful: number; readonly failed: number } | undefined;
  /** The failures in TLS reports, in one sentence. */
  readonly reports?: string | undefined;
}

/** The date on which a certificate or signature expires. */
export interface DigestDate {
  readonly at: string;
  readonly domain: string;
  readonly kind: 'certificate' | 'signature';
  readonly says: string;
}

/** `hermetic.watch-digest/1`: the state of the watched domains and the changes of a period. */
export interface Digest {
  readonly schema: 'hermetic.watch-digest/1';
  readonly from: string;
  readonly until: string;
  readonly next: string;
  /** The domains, those that need attention first. */
  readonly domains: readonly DigestDomain[];
  readonly changes: readonly WatchAlarm[];
  /** Number of changes that `changes` omits. */
  readonly moreChanges: number;
  readonly upcoming: readonly DigestDate[];
}

/** Composes the digest of a period. Pure. */
export function composeDigest(facts: DigestFacts): Digest {
  const { from, until, next, domains, changes } = facts;
  const order = ['attention', 'unknown', 'good'];
  return {
    schema: 'hermetic.watch-digest/1',
    from: formatTime(from),
    until: formatTime(until),
    next: formatTime(next),
    domains: domains
      .map((domain) => domainLine(domain, facts))
      .sort(
        (left, right) =>
          order.indexOf(left.status) - order.indexOf(right.status) ||
          left.domain.localeCompare(right.domain, 'en'),
      ),
    changes: changes.slice(0, MAX_CHANGES),
    moreChanges: Math.max(0, changes.length - MAX_CHANGES),
    upcoming: domains
      .flatMap((domain) => datesOf(domain, stateOf(facts.state, domain), until))
      .sort((left, right) => left.at.localeCompare(right.at, 'en'))
      .slice(0, MAX_UPCOMING),
  };
}

/**
 * Returns the state of a domain, which may be named like a member of Object.prototype.
 */
function stateOf({ domains }: WatchState, domain: string): DomainState | undefined {
  return Object.hasOwn(domains, domain) ? domains[domain] : undefined;
}

function domainLine(domain: string, { state, changes, reports }: DigestFacts): DigestDomain {
  const known = stateOf(state, domain);
  const found = reports.get(domain);
  return {
    domain,
    status: statusOf(known, found),
    verdict: known?.verdict,
    checkedAt: known && formatTime(known.certainAt),
    faults: known?.faults.filter(({ alarm }) => alarm !== '').map(({ says }) => says) ?? [],
    changes: changes.filter((change) => change.domain === domain).length,
    sessions: found && { successful: found.successful, failed: found.failed },
    reports: found?.failing === true ? found.says : undefined,
  };
}

/**
 * Returns the status of a domain. One check without a result needs no attention; an open
 * alarm does.
 */
function statusOf(
  state: DomainState | undefined,
  reports: DigestReports | undefined,
): DigestDomain['status'] {
  if (reports?.failing === true) return 'attention';
  if (!state) return 'unknown';
  if (openAlarms(state) > 0 && !(openAlarms(state) === 1 && state.unseen)) return 'attention';
  if (state.unseen || state.verdict === 'inconclusive') return 'unknown';
  return state.verdict === 'fail' ? 'attention' : 'good';
}

function datesOf(
  domain: string,
  state: DomainState | undefined,
  now: number,
): readonly DigestDate[] {
  const { certificates = [], signatureNotAfter } = state?.facts ?? {};
  const dates = certificates
    .filter(({ notAfter }) => notAfter < now + CERTIFICATE_DAYS * DAY)
    .map(({ host, notAfter }) => {
      const says = ending(`certificate of ${host}`, notAfter, now);
      return { at: formatTime(notAfter), domain, kind: 'certificate' as const, says };
    });
  if (signatureNotAfter === undefined || signatureNotAfter >= now + SIGNATURE_DAYS * DAY)
    return dates;
  const says = ending('DNSSEC signature', signatureNotAfter, now);
  return [...dates, { at: formatTime(signatureNotAfter), domain, kind: 'signature', says }];
}

function ending(what: string, notAfter: number, now: number): string {
  const days = Math.floor((notAfter - now) / DAY);
  if (days < 0) return `The ${what} has expired.`;
  return `The ${what} expires in ${days} ${days === 1 ? 'day' : 'days'}.`;
}
