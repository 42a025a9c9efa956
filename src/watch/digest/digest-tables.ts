import type { Store } from '../../store/index.js';
import { domainHeadline, showDomainInTurns, type DomainView } from '../../tls-rpt-receive/index.js';
import type { DigestSchedule } from '../settings.js';
import { listAlarms, readWatch } from '../tables.js';
import { composeDigest, type Digest, type DigestReports } from './compose-digest.js';
import { digestPeriod, lastDigestTime, nextDigestTime } from './digest-schedule.js';

const DAY = 86_400_000;
/** Maximum number of alarms of a period that are read. */
const MAX_ALARMS = 1000;

/** A period for which a channel has no digest. Milliseconds since 1970. */
export interface DuePeriod {
  readonly from: number;
  readonly until: number;
}

/**
 * Returns the period of the next digest of a channel, if a digest is due. Periods that
 * passed while the daemon was down become one period. A channel without a digest starts
 * at the last planned time, so that a new setting sends no digest immediately. `began`:
 * the time from which the channel has no digest yet.
 */
export function dueDigest(
  stateStore: Store,
  channel: string,
  schedule: DigestSchedule,
  now: number,
): DuePeriod | { readonly began: number } | undefined {
  const planned = lastDigestTime(schedule, now);
  const sent = stateStore
    .prepare<{ until: number }>('SELECT until FROM watch_digest WHERE channel = ?')
    .get(channel);
  // If the clock was ahead, the stored time may be in the future.
  if (!sent || sent.until > now + digestPeriod(schedule)) return { began: planned };
  return sent.until < planned ? { from: sent.until, until: planned } : undefined;
}

/** Records that a channel accepted the digest of a period, or began without a digest. */
export function markDigest(stateStore: Store, channel: string, until: number): Promise<void> {
  return stateStore.write('watch', () => {
    stateStore
      .prepare(
        'INSERT INTO watch_digest (channel, until) VALUES (?, ?) ON CONFLICT (channel) DO UPDATE SET until = excluded.until',
      )
      .run(channel, until);
  });
}

/** The domains of a digest, its period and its schedule. */
export interface ReadDigestOptions extends DuePeriod {
  readonly domains: readonly string[];
  /**
   * Limits the alarms to those of `domains`, for a reader that may see no other domain.
   */
  readonly isConfined?: boolean;
  readonly schedule: DigestSchedule;
}

/** Reads the digest of a period from the tables of the watch and of reports. */
export async function readDigest(
  stateStore: Store,
  { domains, isConfined = false, schedule, from, until }: ReadDigestOptions,
): Promise<Digest> {
  const reports = new Map<string, DigestReports>();
  // A report about a day arrives on the next day.
  const days = Math.min(60, Math.ceil((until - from) / DAY) + 1);
  for (const domain of domains) {
    const view = await showDomainInTurns(stateStore, domain, { now: until, to: until, days });
    if (view.status !== 'no-reports') reports.set(domain, reportsOf(view));
  }
  const shown = new Set(domains);
  const changes = listAlarms(stateStore, MAX_ALARMS, (domain) => !isConfined || shown.has(domain))
    .filter(({ at }) => at > from && at <= until)
    .map(({ at: _at, waiting: _waiting, ...alarm }) => alarm);
  return composeDigest({
    from,
    until,
    domains,
    state: readWatch(stateStore),
    changes,
    reports,
    next: nextDigestTime(schedule, until),
  });
}

function reportsOf(view: DomainView): DigestReports {
  return { ...view.sessions, failing: view.status === 'failing', says: domainHeadline(view) };
}
