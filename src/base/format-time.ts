/** The last moment that has a date. */
const END_OF_TIME = 8.64e15;

/**
 * Milliseconds since 1970 as RFC 3339 in UTC, to the second: the form of every time in
 * evidence and results.
 */
export function formatTime(milliseconds: number): string {
  return `${new Date(Math.min(milliseconds, END_OF_TIME)).toISOString().replace(/\.\d+Z$/, '')}Z`;
}
