import { clip, wrap } from '../../base/index.js';
import type { Overview } from '../explain/overview.js';
import { number, painter, plural, shortDay } from './layout.js';
import type { RenderOptions } from './render-domain.js';

/** Which domains fail, the worst first; one line when none does. Ends with a line feed. */
export function renderOverview(view: Overview, options: RenderOptions = {}): string {
  const width = Math.min(120, Math.max(80, options.width ?? 80));
  const paint = painter(options.color ?? false);
  const failing = view.failing.filter((d) => d.ongoing).length;
  const headline =
    view.reports === 0
      ? 'No reports in these days.'
      : view.failing.length === 0
        ? `All well: ${plural(view.domains, 'domain')}, ${plural(view.reports, 'report')}, no failure.`
        : `${plural(failing, 'domain')} of ${number(view.domains)} failing now, ${view.failing.length - failing} well again; ${plural(view.reports, 'report')}.`;
  const rows = view.failing.map(
    (d) =>
      `  ${clip(d.domain, 34).padEnd(36)}${number(d.failed).padStart(9)} of ${number(d.failed + d.successful).padEnd(11)} ${d.ongoing ? `since ${shortDay(d.since)}` : `ended ${shortDay(d.last)}`}`,
  );
  const refused = view.refused.map((r) => `${number(r.refused)} ${r.code} by ${r.via}`).join(', ');
  const aside = view.uncounted.map((u) => `${number(u.reports)} ${u.trust}`).join(', ');
  return [
    paint(`${shortDay(view.from)} to ${shortDay(view.to)} ${view.to.slice(0, 4)}`, 'dim'),
    ...wrap(headline, width),
    ...(rows.length > 0
      ? ['', paint('  domain                                failed of sessions', 'dim'), ...rows]
      : []),
    ...(refused === '' ? [] : ['', ...wrap(`Refused: ${refused}.`, width)]),
    ...(aside === '' ? [] : ['', ...wrap(`Kept out of the numbers: ${aside}.`, width)]),
    ...(rows.length > 0 ? ['', ...wrap('hermetic report show DOMAIN explains each.', width)] : []),
    '',
  ].join('\n');
}
