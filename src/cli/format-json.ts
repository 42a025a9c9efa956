import { hidden } from '../base/index.js';

/**
 * JSON that means the same and steers no terminal: `JSON.stringify` leaves C1 and bidi
 * controls of foreign text as they are.
 */
export function formatJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(hidden, (c) => (c < '\x7f' ? c : escaped(c)));
}

/** One escape for each UTF-16 unit (RFC 8259 §7). */
function escaped(text: string): string {
  return text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
