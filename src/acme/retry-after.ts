/** Longest wait that is believed: a CA does not stop us for good. */
const LONGEST = 7 * 86_400_000;

/**
 * The moment a `Retry-After` field names, milliseconds since 1970: seconds or a date (RFC
 * 9110 §10.2.3). Undefined: none, or not readable.
 */
export function retryAfter(field: string | undefined, now: number): number | undefined {
  if (field === undefined) return undefined;
  const at = /^\d{1,9}$/.test(field.trim()) ? now + Number(field) * 1000 : Date.parse(field);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at, now), now + LONGEST);
}
