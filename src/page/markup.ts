import { neutralise } from '../base/index.js';

/**
 * Text that is HTML already. Only {@link markup} makes it from values, so every value has
 * been escaped.
 */
export class Markup {
  constructor(readonly text: string) {}
}

/** A value of a template; lists are joined, undefined and false print nothing. */
export type Piece = string | number | Markup | readonly Piece[] | undefined | false;

/** Characters of one value that are printed; the rest is cut off. */
const MAX_TEXT = 2000;

/**
 * A template whose values are neutralised and escaped, for text and for quoted attributes
 * alike.
 */
export function markup(fixed: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(
    fixed.map((text, i) => (i === 0 ? text : piece(values[i - 1]) + text)).join(''),
  );
}

function piece(value: Piece): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(piece).join('');
  return escape(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return neutralise(text, MAX_TEXT).replace(/[&<>"']/g, (c) => entities[c] as string);
}

/** Text of several lines, each escaped by itself; the line ends stay. */
export function lines(text: string): Markup {
  return new Markup(text.split('\n').map(escape).join('\n'));
}
