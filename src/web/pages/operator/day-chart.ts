import { dataTable, markup, type Markup } from '../../../page/index.js';
import type { DomainView } from '../../../tls-rpt-receive/index.js';

type Day = DomainView['timeline'][number];

const WIDTH = 960;
const HEIGHT = 180;
/** Height in pixels above the bars, for the marks of changes. */
const TOP = 18;
/** Height in pixels below the bars, for dates. */
const BOTTOM = 22;

/**
 * Returns a chart (SVG) of the sessions by day: failed sessions at the bottom of each
 * bar, successful ones above, and a mark if the domain changed. A table below the chart
 * has the numbers.
 */
export function dayChart({ timeline }: Pick<DomainView, 'timeline'>): Markup {
  const most = Math.max(1, ...timeline.map(({ ok, failed }) => ok + failed));
  const step = WIDTH / Math.max(1, timeline.length);
  const failing = timeline.filter(({ failed }) => failed > 0).length;
  const bars = timeline.map((day, index) => bar(day, index * step, step, most));
  const labels = timeline.flatMap(({ day }, index) =>
    index % Math.ceil(timeline.length / 7) === 0
      ? [markup`<text x="${round(index * step)}" y="${HEIGHT - 4}">${day.slice(5)}</text>`]
      : [],
  );
  return markup`<figure class="days">
    <svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="days-title days-text">
      <title id="days-title">Sessions by day</title>
      <desc id="days-text">${failing === 0 ? 'No day has failed sessions.' : `${failing} of ${timeline.length} days have failed sessions.`} The table below has the numbers.</desc>
      ${bars}
      <line class="axis" x1="0" x2="${WIDTH}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}" />
      ${labels}
    </svg>
    <figcaption class="soft">Failed sessions are red, others green. A triangle marks a change of the domain.</figcaption>
    <details><summary>Numbers and changes of each day</summary><div class="wide">${table(timeline)}</div></details>
  </figure>`;
}

function bar({ day, ok, failed, changes }: Day, x: number, step: number, most: number): Markup {
  const room = HEIGHT - TOP - BOTTOM;
  const ground = HEIGHT - BOTTOM;
  // The minimum height keeps even one failed session in a million visible.
  const failedHeight = failed === 0 ? 0 : Math.max(2, (failed / most) * room);
  const okHeight = (ok / most) * room;
  const width = round(Math.max(1, step - 3));
  const left = round(x);
  const middle = x + step / 2;
  return markup`<g><title>${day}: ${ok} successful, ${failed} failed${changes.length > 0 && `; ${changes.join('; ')}`}</title>
    <rect class="ok" x="${left}" y="${round(ground - failedHeight - okHeight)}" width="${width}" height="${round(okHeight)}" rx="1.5" />
    <rect class="failed" x="${left}" y="${round(ground - failedHeight)}" width="${width}" height="${round(failedHeight)}" rx="1.5" />
    ${changes.length > 0 && markup`<path class="sign" d="M${round(middle - 5)} 2h10l-5 8z" />`}</g>`;
}

function round(value: number): string {
  return value.toFixed(1);
}

function table(timeline: readonly Day[]): Markup {
  return dataTable(
    'Sessions by day',
    [
      { name: 'Day', cell: ({ day }) => day },
      { name: 'Reports', cell: ({ reports }) => reports },
      { name: 'Successful', cell: ({ ok }) => ok },
      { name: 'Failed', cell: ({ failed }) => failed },
      { name: 'Changes', cell: ({ changes }) => changes.join('; ') },
    ],
    timeline,
  );
}
