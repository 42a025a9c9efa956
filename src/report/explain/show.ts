import type { CheckResult } from '../../evidence/index.js';
import type { Store } from '../../store/index.js';
import { readChecks } from '../tables/checks.js';
import { viewDomain, type DomainView } from './domain-view.js';
import { dayMs, dayOf } from './facts.js';
import { gatherFacts } from './gather-facts.js';
import { viewOverview, type Overview } from './overview.js';

export interface ShowOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Days to look back. Default 14. */
  readonly days?: number;
  /** Last day to look at, milliseconds since 1970. Default: today, or the last day with reports where those are older. */
  readonly to?: number;
  /** Hours after the end of a day until its reports are missed. Default 36. */
  readonly silenceHours?: number;
  /** Results of `hermetic check` beside those in the database. */
  readonly checks?: readonly CheckResult[];
}

/** Everything that the reports about a domain say. */
export function showDomain(store: Store, domain: string, options: ShowOptions): DomainView {
  const { from, to } = spanOf(store, domain, options);
  const checks = [...readChecks(store, domain, (from - 7) * dayMs), ...(options.checks ?? [])]
    .filter((check) => check.domain === domain)
    .sort((a, b) => Date.parse(a.checkedAt) - Date.parse(b.checkedAt));
  return viewDomain(
    gatherFacts(store, { domain, from, to, now: options.now, checks }),
    options.silenceHours,
  );
}

/** Every domain with failures. */
export function showOverview(store: Store, options: ShowOptions): Overview {
  const { from, to } = spanOf(store, '', options);
  return viewOverview(store, from, to);
}

function spanOf(
  store: Store,
  domain: string,
  { now, days = 14, to }: ShowOptions,
): { readonly from: number; readonly to: number } {
  const last =
    store
      .prepare<{ day: number | null }>('SELECT max(day) AS day FROM report_day WHERE domain = ?')
      .get(domain)?.day ?? undefined;
  const today = dayOf(now);
  const end =
    to !== undefined ? dayOf(to) : last !== undefined && last <= today - days ? last : today;
  return { from: end - days + 1, to: end };
}
