import type { Store } from '../../store/index.js';
import { showDomain, showOverview } from '../explain/show.js';
import { planAlerts, type Alert, type Condition, type Told } from './plan-alerts.js';

export interface AlertOptions {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Domains that are looked at even when nothing is reported of them: silence is told. */
  readonly domains: readonly string[];
  /** Hours after the end of a day until missing reports are an alarm. Default 36. */
  readonly silenceHours?: number;
  /** Who is told, by name. False: it did not get through. Each is told what changed since it was last reached, so a dead one loses nothing and has nobody told twice. */
  readonly channels: Readonly<Record<string, (alerts: readonly Alert[]) => Promise<boolean>>>;
}

/** Told of one domain: who makes reports up shall not fill a mailbox. */
const MAX_FAILURES = 20;

/** What one channel was told, or could not be told. */
export interface Notice {
  readonly channel: string;
  readonly heard: boolean;
  readonly alerts: readonly Alert[];
}

/** One look at everything: tells each channel what changed since the last time that it heard. Resolves to what there was to tell. */
export async function runAlerts({
  store,
  now,
  domains,
  silenceHours,
  channels,
}: AlertOptions): Promise<readonly Notice[]> {
  const failing = showOverview(store, { now }).failing.filter((d) => d.ongoing);
  const names = [...new Set([...domains, ...failing.map((d) => d.domain)])];
  const conditions = names.flatMap((domain) => conditionsOf(store, domain, now, silenceHours));
  const notices = await Promise.all(
    Object.entries(channels).map(async ([channel, notify]): Promise<Notice> => {
      const { alerts, told } = planAlerts(now, conditions, readTold(store, channel));
      const heard = alerts.length === 0 || (await notify(alerts));
      if (heard) await store.write('report', () => keepTold(store, channel, told));
      return { channel, heard, alerts };
    }),
  );
  return notices.filter((notice) => notice.alerts.length > 0);
}

function keepTold(store: Store, channel: string, told: readonly Told[]): void {
  store.transaction(() => {
    store.prepare('DELETE FROM report_alert WHERE channel = ?').run(channel);
    const insert = store.prepare(
      'INSERT INTO report_alert (channel, condition, domain, level, says, since) VALUES (?, ?, ?, ?, ?, ?)',
    );
    for (const { key, domain, level, says, since } of told)
      insert.run(channel, key, domain, level, says, since);
  });
}

function conditionsOf(
  store: Store,
  domain: string,
  now: number,
  silenceHours: number | undefined,
): readonly Condition[] {
  const view = showDomain(store, domain, {
    now,
    ...(silenceHours === undefined ? {} : { silenceHours }),
  });
  const failures = view.failures
    .filter((f) => f.ongoing)
    .slice(0, MAX_FAILURES)
    .map(({ result, host, sessions, says, because, todo }) => ({
      key: `${domain} ${result} ${host}`,
      domain,
      level: sessions,
      says: `${says} ${because}`,
      todo,
    }));
  if (!view.silent) return failures;
  const last =
    view.arrivals
      .map((a) => a.last)
      .sort()
      .at(-1) ?? '';
  const silence = {
    key: `${domain} silence`,
    domain,
    level: 0,
    says: `No reports since that of ${last}, though they came on most days before.`,
    todo: [`Check the record at _smtp._tls.${domain}, and whether this receiver can be reached.`],
  };
  return [...failures, silence];
}

function readTold(store: Store, channel: string): readonly Told[] {
  return store
    .prepare<Told>(
      'SELECT condition AS key, domain, level, says, since FROM report_alert WHERE channel = ?',
    )
    .all(channel);
}
