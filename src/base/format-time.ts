/** The largest time value of ECMAScript dates, milliseconds. */
const END_OF_TIME = 8.64e15;

/**
 * Formats milliseconds since 1970 as RFC 3339 in UTC, to the second. All times in
 * evidence and results have this form.
 */
export function formatTime(milliseconds: number): string {
  return `${new Date(Math.min(milliseconds, END_OF_TIME)).toISOString().replace(/\.\d+Z$/, '')}Z`;
}
