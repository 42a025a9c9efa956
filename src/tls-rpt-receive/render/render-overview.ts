import { clip, countOf, formatCount } from '../../base/index.js';
import type { Overview } from '../explain/overview.js';
import { painter, paragraph, shortDay, trustNotice } from './layout.js';
import { howToAccept, uncountedName } from './render-arrivals.js';
import type { RenderOptions } from './render-domain.js';

/**
 * Returns the page with the failing domains, worst first, or with one line if no domain
 * fails. Lines have at most `width` columns, and numbers are aligned. Ends with a line
 * feed.
 */
export function renderReportOverview(overview: Overview, options: RenderOptions = {}): string {
  const lineWidth = Math.min(120, Math.max(80, options.width ?? 80));
  const paint = painter(options.color ?? false);
  const rows = overview.failing.map(
    (row) =>
      `  ${clip(row.domain || '(no domain named)', 34).padEnd(36)}${formatCount(row.failed).padStart(9)} of ${formatCount(row.failed + row.successful).padEnd(11)} ${row.ongoing ? `since ${shortDay(row.since)}` : `ended ${shortDay(row.last)}`}`,
  );
  const otherMail = overview.refused
    .filter(isOtherMail)
    .reduce((count, refusal) => count + refusal.refused, 0);
  const refused = overview.refused
    .filter((refusal) => !isOtherMail(refusal))
    .map((refusal) => `${formatCount(refusal.refused)} ${refusal.code} by ${refusal.via}`)
    .join(', ');
  const aside = overview.uncounted
    .map((uncountedRow) => `${formatCount(uncountedRow.reports)} (${uncountedName(uncountedRow)})`)
    .join(', ');
  const advice = overview.reports === 0 ? howToAccept(overview.uncounted) : '';
  return [
    paint(
      `${shortDay(overview.from)} to ${shortDay(overview.to)} ${overview.to.slice(0, 4)}`,
      'dim',
    ),
    ...paragraph(overviewHeadline(overview), lineWidth),
    ...trustNotice(overview.trustedMailbox, lineWidth),
    ...(rows.length > 0
      ? ['', paint('  domain                                failed of sessions', 'dim'), ...rows]
      : []),
    ...(overview.unauthenticated > 0
      ? [
          '',
          ...paragraph(
            `Not authenticated: ${countOf(overview.unauthenticated, 'report')} over HTTPS. No decision depends on them.`,
            lineWidth,
          ),
        ]
      : []),
    ...(refused === '' ? [] : ['', ...paragraph(`Refused: ${refused}.`, lineWidth)]),
    ...(otherMail === 0
      ? []
      : [
          '',
          ...paragraph(`Other mail in mailboxes: ${countOf(otherMail, 'message')}.`, lineWidth),
        ]),
    ...(aside === '' ? [] : ['', ...paragraph(`Not included: ${aside}.${advice}`, lineWidth)]),
    ...(rows.length > 0 ? ['', ...paragraph(nextCommand(overview), lineWidth)] : []),
    '',
  ].join('\n');
}

/**
 * Returns the sentence with the command that explains a row. For reports without a domain
 * the command has an empty name.
 */
function nextCommand({ failing }: Overview): string {
  const unnamed = failing.some(({ domain }) => domain === '');
  const each = 'hermetic report show DOMAIN explains each.';
  return unnamed ? `${each} For reports without a domain: hermetic report show ''` : each;
}

/**
 * Returns whether a refused item is a mail of a mailbox that is not a TLS report. Such
 * mail stays in the mailbox.
 */
function isOtherMail({ via, code }: Overview['refused'][number]): boolean {
  return via === 'mailbox' && (code === 'report-missing' || code === 'report-is-dmarc');
}

/**
 * Returns the state of all domains in one sentence. If only excluded reports arrived, the
 * sentence mentions them, since "no reports" would be wrong.
 */
export function overviewHeadline({
  reports,
  failing,
  domains,
  unauthenticated,
  uncounted,
}: Overview): string {
  const aside = unauthenticated + uncounted.reduce((count, row) => count + row.reports, 0);
  if (reports === 0 && failing.length === 0)
    return aside === 0
      ? 'No reports in these days.'
      : `${countOf(aside, 'report')} arrived, none counted.`;
  if (failing.length === 0)
    return `No failure: ${countOf(domains, 'domain')}, ${countOf(reports, 'report')}.`;
  const now = failing.filter((row) => row.ongoing && row.domain !== '').length;
  const unnamed = failing.some((row) => row.ongoing && row.domain === '');
  const over = failing.length - failing.filter((row) => row.ongoing).length;
  const rest = `${over} recovered; ${countOf(reports, 'report')}.`;
  if (now === 0 && unnamed) return `Failures in reports that name no domain, ${rest}`;
  const besides = unnamed ? ', and failures in reports that name no domain' : '';
  return `${countOf(now, 'domain')} of ${formatCount(domains)} failing now${besides}, ${rest}`;
}
