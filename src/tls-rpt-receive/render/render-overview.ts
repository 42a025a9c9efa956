import { clip } from '../../base/index.js';
import type { Overview } from '../explain/overview.js';
import { number, painter, paragraph, plural, shortDay } from './layout.js';
import type { RenderOptions } from './render-domain.js';

/**
 * Which domains fail, the worst first; one line when none does. Ends with a line feed.
 */
export function renderOverview(view: Overview, options: RenderOptions = {}): string {
  const width = Math.min(120, Math.max(80, options.width ?? 80));
  const paint = painter(options.color ?? false);
  const rows = view.failing.map(
    (d) =>
      `  ${clip(d.domain || '(no domain named)', 34).padEnd(36)}${number(d.failed).padStart(9)} of ${number(d.failed + d.successful).padEnd(11)} ${d.ongoing ? `since ${shortDay(d.since)}` : `ended ${shortDay(d.last)}`}`,
  );
  const refused = view.refused.map((r) => `${number(r.refused)} ${r.code} by ${r.via}`).join(', ');
  const aside = view.uncounted.map((u) => `${number(u.reports)} ${u.trust}`).join(', ');
  return [
    paint(`${shortDay(view.from)} to ${shortDay(view.to)} ${view.to.slice(0, 4)}`, 'dim'),
    ...paragraph(headline(view), width),
    ...(rows.length > 0
      ? ['', paint('  domain                                failed of sessions', 'dim'), ...rows]
      : []),
    ...(view.unauthenticated > 0
      ? [
          '',
          ...paragraph(
            `Not authenticated: ${plural(view.unauthenticated, 'report')} by HTTPS, which decide nothing.`,
            width,
          ),
        ]
      : []),
    ...(refused === '' ? [] : ['', ...paragraph(`Refused: ${refused}.`, width)]),
    ...(aside === '' ? [] : ['', ...paragraph(`Kept out of the numbers: ${aside}.`, width)]),
    ...(rows.length > 0
      ? ['', ...paragraph('hermetic report show DOMAIN explains each.', width)]
      : []),
    '',
  ].join('\n');
}

function headline({ reports, failing, domains, unauthenticated, uncounted }: Overview): string {
  const aside = unauthenticated + uncounted.reduce((n, row) => n + row.reports, 0);
  if (reports === 0)
    return aside === 0
      ? 'No reports in these days.'
      : `No report counts in these days: ${plural(aside, 'report')} arrived, none authenticated.`;
  if (failing.length === 0)
    return `All well: ${plural(domains, 'domain')}, ${plural(reports, 'report')}, no failure.`;
  const now = failing.filter((d) => d.ongoing && d.domain !== '').length;
  const unnamed = failing.some((d) => d.ongoing && d.domain === '');
  const over = failing.length - failing.filter((d) => d.ongoing).length;
  return `${plural(now, 'domain')} of ${number(domains)} failing now${unnamed ? ', and failures in reports that name no domain' : ''}, ${over} well again; ${plural(reports, 'report')}.`;
}
