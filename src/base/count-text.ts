/** Returns a number with commas between thousands: `1,234`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * Returns a number with its noun in the right form: `1 host`, `2 hosts`, `3 addresses`.
 * `plural`: the form of a noun whose plural is irregular.
 */
export function countOf(
  count: number,
  noun: string,
  plural = noun.endsWith('s') ? `${noun}es` : `${noun}s`,
): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}
