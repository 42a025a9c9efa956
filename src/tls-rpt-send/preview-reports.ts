import type { Result } from '../base/index.js';
import type { Store } from '../store/index.js';
import { buildReport, type Reporter } from './build-report.js';
import { countedPolicies } from './count-sessions.js';
import { destinationsOf } from './destinations.js';

/** A report as it would be sent, or was. */
export interface PreviewedReport {
  readonly domain: string;
  /** UTC, `2026-11-24`. */
  readonly day: string;
  /** `counting`: the day is not over, or its report not built yet. */
  readonly state: 'counting' | 'built';
  readonly destinations: readonly {
    readonly uri: string;
    /** Of a built report: what became of it. */
    readonly state?: string;
    readonly due?: string;
    readonly detail?: string;
  }[];
  /** JSON as in the report. */
  readonly body: Result<string>;
}

/**
 * What is counted and what was built, the newest day first; `domain` narrows it to one.
 * Changes nothing.
 */
export function previewReports(
  store: Store,
  reporter: Reporter,
  domain?: string,
): readonly PreviewedReport[] {
  const only = domain === undefined ? [] : [domain];
  const where = domain === undefined ? '' : 'WHERE domain = ?';
  const counting = store
    .prepare<{ day: number; domain: string; record: string }>(
      `SELECT day, domain, record FROM send_report_domain ${where}`,
    )
    .all(...only)
    .map(({ day, domain: about, record }): PreviewedReport & { at: number } => ({
      at: day,
      domain: about,
      day: dateOf(day),
      state: 'counting',
      destinations: destinationsOf(record).map(({ uri }) => ({ uri })),
      body: buildReport(reporter, about, day, countedPolicies(store, day, about), 'preview').body,
    }));
  const deliveries = store.prepare<{
    uri: string;
    state: string;
    due_at: number | null;
    detail: string;
  }>('SELECT uri, state, due_at, detail FROM send_report_delivery WHERE report = ? ORDER BY uri');
  const built = store
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
        ...(due_at === null ? {} : { due: new Date(due_at).toISOString() }),
        ...(detail === '' ? {} : { detail }),
      })),
      body: { ok: true, value: body },
    }));
  return [...counting, ...built]
    .sort((a, b) => b.at - a.at || (a.domain < b.domain ? -1 : 1))
    .map(({ at: _at, ...preview }) => preview);
}

function dateOf(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}
