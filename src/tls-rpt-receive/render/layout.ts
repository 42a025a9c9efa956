import { neutralise, wrap } from '../../base/index.js';

/** The styles of terminal text. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';
/** Adds a style to a text, or returns it unchanged where the output takes no colour. */
export type Paint = (text: string, style: Style) => string;

const codes: Readonly<Record<Style, string>> = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
};

/** Colours, or none. */
export function painter(color: boolean): Paint {
  return (text, style) => (color ? `\x1b[${codes[style]}m${text}\x1b[0m` : text);
}

/** `1,234`. */
export function number(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 session`, `2 sessions`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** `Tue 12 May` of `2026-05-12`. */
export function shortDay(date: string): string {
  const [weekday = '', day = '', month = ''] = new Date(`${date}T00:00:00Z`)
    .toUTCString()
    .replace(',', '')
    .split(' ');
  return `${weekday} ${Number(day)} ${month}`;
}

/**
 * Breaks one statement into lines. A line end in foreign text is shown as an escape, so
 * that a report cannot start a line of its own [8460-7-4].
 */
export function paragraph(
  text: string,
  width: number,
  indent = '',
  hanging = indent,
): readonly string[] {
  return wrap(neutralise(text, 4000), width, indent, hanging);
}
