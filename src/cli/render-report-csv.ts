import { csvTable } from '../base/index.js';
import type { DomainView, Overview } from '../tls-rpt-receive/index.js';

/**
 * Renders the sessions of one domain as CSV: a row for each reporter and kind of policy.
 */
export function renderDomainCsv({ domain, from, to, reporters }: DomainView): string {
  const rows = reporters.flatMap(({ reporter, reports, kinds }) =>
    kinds.map(({ type, successful, failed }) => [
      ...[domain, from, to, reporter, type],
      ...[reports, successful, failed].map(String),
    ]),
  );
  return csvTable(
    ['domain', 'from', 'to', 'reporter', 'policy_type', 'reports', 'successful', 'failed'],
    rows,
  );
}

/** Renders the domains with failures as CSV, worst first. */
export function renderOverviewCsv({ failing }: Overview): string {
  const rows = failing.map(({ domain, since, last, ongoing, successful, failed }) => [
    ...[domain, since, last, ongoing ? 'yes' : 'no'],
    ...[successful, failed].map(String),
  ]);
  return csvTable(['domain', 'since', 'last', 'ongoing', 'successful', 'failed'], rows);
}
