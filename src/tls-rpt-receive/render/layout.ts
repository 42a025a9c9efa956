import { formatCount, neutralise, wrap } from '../../base/index.js';

/** The styles of a report page. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
/**
 * A function that adds a style to a text, or returns the text unchanged if colours are
 * off.
 */
export type Paint = (outputText: string, style: Style) => string;

/**
 * The SGR parameter of each style. The basic colours follow the palette of the terminal.
 */
const codes: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
};

/**
 * Returns a function that adds ANSI escapes to a text, or returns plain text. Pad a text
 * before adding a style, since escapes occupy no columns.
 */
export function painter(color: boolean): Paint {
  return (outputText, style) => (color ? `\x1b[${codes[style]}m${outputText}\x1b[0m` : outputText);
}

/**
 * Returns a day without the year: `Tue 12 May` for `2026-05-12`. The weekday is shown
 * because the amount of mail depends on it.
 */
export function shortDay(date: string): string {
  const [weekday = '', day = '', month = ''] = new Date(`${date}T00:00:00Z`)
    .toUTCString()
    .replace(',', '')
    .split(' ');
  return `${weekday} ${Number(day)} ${month}`;
}

/**
 * Returns one statement, wrapped into lines. Shows a line end in foreign text as an
 * escape, so that a report cannot start a new line [8460-7-4].
 */
export function paragraph(
  outputText: string,
  lineWidth: number,
  indent = '',
  hanging = indent,
): readonly string[] {
  return wrap(neutralise(outputText, 4000), lineWidth, indent, hanging);
}

/**
 * Returns the notice about reports that count only because the operator trusts a mailbox;
 * no line if the number is 0.
 */
export function trustNotice(reports: number, lineWidth: number): readonly string[] {
  if (reports === 0) return [];
  const counts = reports === 1 ? 'report counts' : 'reports count';
  const notice = `${formatCount(reports)} ${counts} only because you trust their mailbox: no signature proves the reporter.`;
  return paragraph(notice, lineWidth);
}
