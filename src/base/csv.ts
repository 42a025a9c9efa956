import { hidden } from './neutralise.js';

/**
 * Returns a CSV table (RFC 4180): a header, then the rows, each cell quoted if necessary.
 */
export function csvTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, ...rows].map(csvLine).join('');
}

/** Returns one line of a CSV table, with its line end. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

/**
 * Returns the text of a cell, quoted if necessary. A spreadsheet evaluates a cell that
 * begins with one of `=+-@` as a formula, and host names come from foreign zones. An
 * apostrophe before the text of the cell prevents the evaluation.
 */
function cell(text: string): string {
  const shown = text.replace(hidden, '?');
  const safe = /^[=+\-@]/.test(shown) ? `'${shown}` : shown;
  if (/[",\r\n]/.test(safe)) return `"${safe.replaceAll('"', '""')}"`;
  return safe;
}
