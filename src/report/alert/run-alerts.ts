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
  /** Tells somebody. False: it did not get through, and is tried again at the next look. */
  readonly notify: (alerts: readonly Alert[]) => Promise<boolean>;
}

/** One look at everything: tells what changed since the last. Resolves to what was told. */
export async function runAlerts({ store, now, domains, silenceHours, notify }: AlertOptions): Promise<readonly Alert[]> {
  const failing = showOverview(store, { now }).failing.filter((d) => d.ongoing);
  const names = [...new Set([...domains, ...failing.map((d) => d.domain)])];
  const conditions = names.flatMap((domain) => conditionsOf(store, domain, now, silenceHours));
  const { alerts, told } = planAlerts(now, conditions, readTold(store));
  if (alerts.length > 0 && !(await notify(alerts))) return [];
  store.transaction(() => {
    store.prepare('DELETE FROM report_alert').run();
    const insert = store.prepare('INSERT INTO report_alert (condition, domain, level, says, since) VALUES (?, ?, ?, ?, ?)');
    for (const { key, domain, level, says, since } of told) insert.run(key, domain, level, says, since);
  });
  return alerts;
}

function conditionsOf(store: Store, domain: string, now: number, silenceHours: number | undefined): readonly Condition[] {
  const view = showDomain(store, domain, { now, ...(silenceHours === undefined ? {} : { silenceHours }) });
  const failures = view.failures
    .filter((f) => f.ongoing)
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

function readTold(store: Store): readonly Told[] {
  return store.prepare<Told>('SELECT condition AS key, domain, level, says, since FROM report_alert').all();
}
