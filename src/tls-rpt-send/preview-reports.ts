import type { Result } from '../base/index.js';
import type { Store } from '../store/index.js';
import { buildReport, type Reporter } from './build-report.js';
import { countedPolicies } from './count-sessions.js';
import { destinationsOf } from './destinations.js';

/** A report that will be sent, or was sent. */
export interface PreviewedReport {
  readonly domain: string;
  /** The UTC day, as in `2026-11-24`. */
  readonly day: string;
  /** `counting`: the report is not built yet, usually because the day is not over. */
  readonly state: 'counting' | 'built';
  readonly destinations: readonly {
    readonly uri: string;
    /** The delivery state of a built report. */
    readonly state?: string;
    readonly due?: string;
    readonly detail?: string;
  }[];
  /** The report in JSON, as it is sent. */
  readonly body: Result<string>;
}

/**
 * Returns the reports of all stored days, the newest day first: as built, or as the
 * current counts would yield them. `domain` limits the result to one domain. The function
 * writes nothing.
 */
export function previewReports(
  stateStore: Store,
  reporter: Reporter,
  domainName?: string,
): readonly PreviewedReport[] {
  const only = domainName === undefined ? [] : [domainName];
  const where = domainName === undefined ? '' : 'WHERE domain = ?';
  const counting = stateStore
    .prepare<{ day: number; domain: string; record: string }>(
      `SELECT day, domain, record FROM send_report_domain ${where}`,
    )
    .all(...only)
    .map(({ day, domain: about, record }): PreviewedReport & { at: number } => {
      const policies = countedPolicies(stateStore, day, about);
      return {
        at: day,
        domain: about,
        day: dateOf(day),
        state: 'counting',
        destinations: destinationsOf(record).map(({ uri }) => ({ uri })),
        body: buildReport({ reporter, domain: about, day, policies, unique: 'preview' }).body,
      };
    });
  const deliveries = stateStore.prepare<{
    uri: string;
    state: string;
    due_at: number | null;
    detail: string;
  }>('SELECT uri, state, due_at, detail FROM send_report_delivery WHERE report = ? ORDER BY uri');
  const built = stateStore
    .prepare<{ id: string; day: number; domain: string; body: string }>(
      `SELECT id, day, domain, body FROM send_report ${where}`,
    )
    .all(...only)
    .map(({ id, day, domain: about, body }): PreviewedReport & { at: number } => ({
      at: day,
      domain: about,
      day: dateOf(day),
      state: 'built',
      destinations: deliveries.all(id).map(({ uri, state, due_at, detail }) => ({
        uri,
        state,
        due: due_at === null ? undefined : new Date(due_at).toISOString(),
        detail: detail || undefined,
      })),
      body: { ok: true, value: body },
    }));
  return [...counting, ...built]
    .sort((left, right) => right.at - left.at || (left.domain < right.domain ? -1 : 1))
    .map(({ at: _at, ...preview }) => preview);
}

function dateOf(dayStart: number): string {
  return new Date(dayStart).toISOString().slice(0, 10);
}
