import { groupBy } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import type { DomainView } from '../explain/domain-view.js';
import type { Explanation } from '../explain/explain-group.js';
import { showDomainInTurns, showOverviewInTurns } from '../explain/show.js';
import { planAlerts, type ReportAlert, type Condition, type SentAlert } from './plan-alerts.js';

/** Options of one round of alerts. */
export interface AlertOptions {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: number;
  /**
   * Domains to examine even when no failure is reported: missing reports cause an alert.
   */
  readonly domains: readonly string[];
  /** Hours after the end of a day until missing reports cause an alert. Default 36. */
  readonly silenceHours?: number;
  /**
   * The receivers of alerts, by name. If a function returns false or rejects, the next
   * round sends the alerts again. Each channel gets the changes since its last successful
   * delivery.
   */
  readonly channels: Readonly<
    Record<string, (reportAlerts: readonly ReportAlert[]) => Promise<boolean>>
  >;
  /**
   * Receives the error of a domain or channel. The round continues with the other domains
   * and channels.
   */
  readonly onError?: (what: AlertFailure) => void;
}

/** A domain or channel for which a round failed, with the error. */
export interface AlertFailure {
  /** The domain; empty for reports that name no domain. */
  readonly domain?: string;
  readonly channel?: string;
  readonly error: Error;
}

/**
 * Maximum number of separate alerts for one configured domain, or for all other names
 * together. One line counts the rest.
 */
const MAX_ALERTS = 20;

/** The alerts sent to one channel, and whether it accepted them. */
export interface Notice {
  readonly channel: string;
  readonly received: boolean;
  readonly alerts: readonly ReportAlert[];
}

/**
 * Examines every domain once and sends each channel the changes since its last successful
 * delivery. Domains and channels are independent. A domain that cannot be read keeps its
 * known state: its failures are not reported as ended.
 */
export async function runAlerts(options: AlertOptions): Promise<readonly Notice[]> {
  const { store, now, channels, onError = () => undefined } = options;
  const { conditions, unread, ended } = await readConditions(options, onError);
  const notices = await Promise.all(
    Object.entries(channels).map(async ([channel, notify]): Promise<Notice> => {
      try {
        const before = readSent(store, channel);
        const kept = before.filter(({ domain }) => unread.has(domain));
        const known = before.filter(({ domain }) => !unread.has(domain));
        const { alerts, sent } = planAlerts(now, conditions, known, ended);
        const shown = shorten(alerts, options.domains);
        const received = shown.length === 0 || (await send(notify, shown, channel, onError));
        if (received)
          await store.write('report', () => saveSent(store, channel, [...sent, ...kept]));
        return { channel, received, alerts: shown };
      } catch (error) {
        onError({ channel, error: error as Error });
        return { channel, received: false, alerts: [] };
      }
    }),
  );
  return notices.filter((notice) => notice.alerts.length > 0);
}

/**
 * Sends alerts to a channel, and resolves to whether the channel received them. An error
 * counts as not received.
 */
async function send(
  notify: (alerts: readonly ReportAlert[]) => Promise<boolean>,
  reportAlerts: readonly ReportAlert[],
  channel: string,
  onError: (what: AlertFailure) => void,
): Promise<boolean> {
  try {
    return await notify(reportAlerts);
  } catch (error) {
    onError({ channel, error: error as Error });
    return false;
  }
}

/** The current conditions of all domains that could be read. */
interface Conditions {
  readonly conditions: readonly Condition[];
  /** Domains that could not be read. */
  readonly unread: ReadonlySet<string>;
  /** Keys of the conditions that are known to have ended. */
  readonly ended: ReadonlySet<string>;
}

/**
 * Reads the failures of every domain in steps, between which the process does other work.
 * A domain that cannot be read keeps its earlier state.
 */
async function readConditions(
  { store, now, domains, silenceHours }: AlertOptions,
  onError: (what: AlertFailure) => void,
): Promise<Conditions> {
  const conditions: Condition[] = [];
  const unread = new Set<string>();
  const covered = new Set<string>();
  const ended = new Set<string>();
  const options = { now, silenceHours };
  const look = async (domainName: string): Promise<void> => {
    try {
      const domainView = await showDomainInTurns(store, domainName, options);
      for (const { policyDomain } of domainView.failures) covered.add(policyDomain);
      for (const failure of domainView.failures)
        if (!failure.ongoing) ended.add(keyOf(failure, domainName));
      if (!domainView.silent) ended.add(silenceKey(domainName));
      conditions.push(...conditionsOf(domainView));
    } catch (error) {
      unread.add(domainName);
      onError({ domain: domainName, error: error as Error });
    }
  };
  for (const domainName of new Set(domains)) await look(domainName);
  for (const domainName of await failingDomains(options, store, unread, onError))
    // With DANE a failing name may be a mail host whose failures the recipient domain
    // already covers.
    if (!domains.includes(domainName) && !covered.has(domainName)) await look(domainName);
  return { conditions, unread, ended };
}

/**
 * Returns the domains with ongoing failures. If the list cannot be read, adds all domains
 * of earlier alerts to `unread`, so that no failure is reported as ended.
 */
async function failingDomains(
  options: { readonly now: number },
  stateStore: Store,
  unread: Set<string>,
  onError: (what: AlertFailure) => void,
): Promise<readonly string[]> {
  try {
    const { failing } = await showOverviewInTurns(stateStore, options);
    return failing.flatMap((domainRow) => (domainRow.ongoing ? domainRow.domain : []));
  } catch (error) {
    for (const { domain } of stateStore
      .prepare<{ domain: string }>('SELECT DISTINCT domain FROM report_alert')
      .all())
      unread.add(domain);
    onError({ error: error as Error });
    return [];
  }
}

/**
 * Saves the alerts that a channel received, in one transaction. After a crash an alert
 * may be sent again, but is never lost.
 */
function saveSent(stateStore: Store, channel: string, sent: readonly SentAlert[]): void {
  stateStore.transaction(() => {
    stateStore.prepare('DELETE FROM report_alert WHERE channel = ?').run(channel);
    const insert = stateStore.prepare(
      'INSERT INTO report_alert (channel, condition, domain, level, says, since) VALUES (?, ?, ?, ?, ?, ?)',
    );
    for (const { key, domain, level, says, since } of sent)
      insert.run(channel, key, domain, level, says, since);
  });
}

/** Returns the ongoing failures of a domain, and a condition for missing reports. */
function conditionsOf(domainView: DomainView): readonly Condition[] {
  const { domain } = domainView;
  const failures = byTurns(domainView.failures.filter((failure) => failure.ongoing)).map(
    (failure) => conditionOf(failure, domain),
  );
  if (!domainView.silent) return failures;
  const last =
    domainView.arrivals
      .map((arrival) => arrival.last)
      .sort()
      .at(-1) ?? '';
  const silence = {
    key: silenceKey(domain),
    domain,
    level: 0,
    says: `No reports since ${last}, although reports arrived on most days before.`,
    todo: [
      `Check the record at _smtp._tls.${domain}, and check that senders can reach this receiver.`,
    ],
  };
  return [...failures, silence];
}

/**
 * Sorts failures: first the worst failure of each reporter, then the second of each, so
 * that one reporter cannot crowd out the others.
 */
function byTurns(failures: readonly Explanation[]): readonly Explanation[] {
  const seen = new Map<string, number>();
  return [...failures]
    .sort((arrival, explanation) => explanation.sessions - arrival.sessions)
    .map((failure) => {
      const who = failure.reporters.join(' ');
      const turn = seen.get(who) ?? 0;
      seen.set(who, turn + 1);
      return { failure, turn };
    })
    .sort((arrival, b) => arrival.turn - b.turn)
    .map(({ failure }) => failure);
}

function conditionOf(failure: Explanation, domainName: string): Condition {
  const { sessions, says, because, todo } = failure;
  return {
    key: keyOf(failure, domainName),
    domain: domainName,
    level: sessions,
    says: `${says} ${because}`,
    todo,
  };
}

function keyOf({ result, policy, host, policyDomain }: Explanation, domainName: string): string {
  // Reporters choose these texts. With JSON, different failures have different keys for
  // any text.
  return JSON.stringify([domainName, result, policy, host, policyDomain]);
}

/**
 * Returns the key of the condition for missing reports. It cannot equal the key of a
 * failure, which is JSON.
 */
function silenceKey(domainName: string): string {
  return `${domainName} silence`;
}

/**
 * Limits the alerts on each configured domain, and on all other names together, because
 * reporters choose those names. One alert counts the omitted ones, so that every omission
 * is visible.
 */
function shorten(
  reportAlerts: readonly ReportAlert[],
  domains: readonly string[],
): readonly ReportAlert[] {
  const subjects = groupBy(reportAlerts, ({ domain }) => (domains.includes(domain) ? domain : ''));
  return [...subjects].flatMap(([domainName, alerts]): readonly ReportAlert[] => {
    if (alerts.length <= MAX_ALERTS) return alerts;
    const at = domainName || distinctName(alerts) || 'other names';
    const says = `${alerts.length - MAX_ALERTS} more changes at ${at}.`;
    const todo = [`List all changes: hermetic report show ${domainName}`.trimEnd()];
    const since = alerts.at(-1)?.since ?? '';
    return [
      ...alerts.slice(0, MAX_ALERTS),
      { kind: 'added', domain: domainName, says, since, todo },
    ];
  });
}

/**
 * Returns the domain that all these alerts concern; undefined if they concern several.
 */
function distinctName(reportAlerts: readonly ReportAlert[]): string | undefined {
  const names = new Set(reportAlerts.map(({ domain }) => domain));
  return names.size === 1 ? [...names][0] : undefined;
}

/** Returns the alerts that a channel has received. */
function readSent(stateStore: Store, channel: string): readonly SentAlert[] {
  return stateStore
    .prepare<SentAlert>(
      'SELECT condition AS key, domain, level, says, since FROM report_alert WHERE channel = ?',
    )
    .all(channel);
}
