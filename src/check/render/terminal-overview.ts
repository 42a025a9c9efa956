import { clip, wrap } from '../../base/index.js';
import type { CheckResult, Topic } from '../../evidence/index.js';
import { overviewRows, verdictCounts, type OverviewRow } from './overview-rows.js';
import { markTones } from './scorecard.js';
import { layoutOf, markWords, type Paint, type TerminalOptions } from './terminal.js';
import { verdictNames, verdictTones } from './words.js';

/**
 * Columns of the table, most important first: the last ones are omitted if the width is
 * not sufficient.
 */
const columns: readonly { readonly topic: Topic; readonly head: string }[] = [
  { topic: 'starttls', head: 'STARTTLS' },
  { topic: 'certificate', head: 'Cert' },
  { topic: 'dane', head: 'DANE' },
  { topic: 'mta-sts', head: 'MTA-STS' },
  { topic: 'tls-rpt', head: 'TLS-RPT' },
  { topic: 'dnssec', head: 'DNSSEC' },
  { topic: 'cipher', head: 'Ciphers' },
  { topic: 'tls-version', head: 'Versions' },
];

/** Spaces between columns. */
const GAP = 2;
/** Columns of a date. */
const EXPIRY = 'YYYY-MM-DD'.length;

/**
 * Renders several domains as one table, worst first, in lines of at most the width:
 * verdict, scorecard and the expiry of the certificate that expires first. Ends with a
 * line feed.
 */
export function renderOverview(
  results: readonly CheckResult[],
  options: TerminalOptions = {},
): string {
  const { width: lineWidth, paint } = layoutOf(options);
  const rows = overviewRows(results);
  const names = Math.max(...rows.map(({ result }) => result.domain.length), 'Domain'.length);
  // A domain without mail has no marks, so its long verdict needs no column.
  const marked = rows.filter(({ scores }) => scores.length > 0);
  const verdicts = Math.max(0, ...marked.map(({ result }) => verdictNames[result.verdict].length));
  // A long name must not displace the marks, so it is truncated at two fifths of the
  // line.
  const nameWidth = Math.min(names, Math.floor(lineWidth * 0.4));
  const fixed = nameWidth + GAP + Math.max(verdicts, 'Verdict'.length);
  let room = lineWidth - fixed;
  const shown = columns.filter(({ head }) => (room -= head.length + GAP) >= 0);
  const expiry = lineWidth - fixed - widthOf(shown) >= EXPIRY + GAP;
  const line = (name: string, verdict: string, cells: readonly string[], end: string): string =>
    [name, verdict, ...cells, ...(expiry ? [end] : [])].join(' '.repeat(GAP)).trimEnd();
  const head = line(
    'Domain'.padEnd(nameWidth),
    'Verdict'.padEnd(fixed - nameWidth - GAP),
    shown.map((column) => column.head),
    'Expires',
  );
  const body = rows.map((overviewRow) =>
    line(
      clip(overviewRow.result.domain, nameWidth).padEnd(nameWidth),
      painted(verdictNames[overviewRow.result.verdict], fixed - nameWidth - GAP, (outputText) =>
        paint(outputText, verdictTones[overviewRow.result.verdict]),
      ),
      shown.map(({ topic, head: name }) => markCell(overviewRow, topic, name.length, paint)),
      overviewRow.expires ?? (overviewRow.scores.length > 0 ? 'unknown' : ''),
    ),
  );
  const title = `${results.length} domains: ${verdictCounts(results)}`;
  const omitted = columns.slice(shown.length).map((column) => column.head);
  const signs = ['-: not in use.', '?: could not tell.', '--full prints every report.'];
  if (omitted.length > 0) signs.push(`This width omits ${omitted.join(', ')}.`);
  const legend = wrap(signs.join(' '), lineWidth);
  return `${[
    clip(title, lineWidth),
    '',
    paint(head, 'quiet'),
    ...body,
    '',
    ...legend.map((textLine) => paint(textLine, 'quiet')),
  ].join('\n')}\n`;
}

/** The width of the shown marks with their gaps, in columns. */
const widthOf = (shown: typeof columns): number =>
  shown.reduce((sum, { head }) => sum + head.length + GAP, 0);

/** Pads the text before adding colour, since an escape sequence has no width. */
const painted = (
  outputText: string,
  columnWidth: number,
  paint: (text: string) => string,
): string => paint(outputText) + ' '.repeat(Math.max(0, columnWidth - outputText.length));

/** Returns the mark of one topic, empty for a domain without mail. */
function markCell(
  { scores }: OverviewRow,
  topic: Topic,
  columnWidth: number,
  paint: Paint,
): string {
  const score = scores.find((score) => score.topic === topic);
  if (!score) return ' '.repeat(columnWidth);
  return painted(markWords[score.mark], columnWidth, (outputText) =>
    paint(outputText, markTones[score.mark]),
  );
}
