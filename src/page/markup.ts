import { neutralise } from '../base/index.js';

/**
 * Text that is HTML already. Only {@link markup} makes it from values, so every value has
 * been escaped. The class marks safe text: a plain string, even one that looks like HTML,
 * is escaped when it is printed.
 */
export class Markup {
  constructor(readonly text: string) {}
}

/** A value of a template; lists are joined, undefined and false print nothing. */
export type Piece = string | number | Markup | readonly Piece[] | undefined | false;

/**
 * Maximum number of printed characters of one value; the rest is cut off. A reply of a
 * server can have hundreds of lines, and a page must stay readable.
 */
const MAX_TEXT = 2000;

/**
 * Fills a template. Each value is neutralised and escaped for text and for quoted
 * attributes alike, so no value can change the markup around it, provided that attributes
 * are quoted.
 */
export function markup(fixed: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return new Markup(
    fixed
      .map((fixedPart, index) => (index === 0 ? fixedPart : piece(values[index - 1]) + fixedPart))
      .join(''),
  );
}

/**
 * Returns one value as HTML. Markup passes unchanged, since it was escaped when it was
 * made.
 */
function piece(value: Piece): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(piece).join('');
  return escape(String(value));
}

/** Characters that end text or a quoted attribute in HTML. */
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes control, bidi and invisible characters visible, then escapes the text. */
function escape(outputText: string): string {
  return neutralise(outputText, MAX_TEXT).replace(
    /[&<>"']/g,
    (character) => entities[character] as string,
  );
}

/**
 * Escapes each line of a text separately and keeps the line ends. The function is for
 * text to paste, in which a line end is part of the content.
 */
export function lines(outputText: string): Markup {
  return new Markup(outputText.split('\n').map(escape).join('\n'));
}
