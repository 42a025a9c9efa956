/**
 * Returns true if an `mx` pattern of a policy matches an MX host (RFC 8461 §4.1).
 * Comparison ignores case; `*.` matches exactly one left-most label [8461-4.1-1].
 */
export function matchMx(pattern: string, host: string): boolean {
  const text = pattern.toLowerCase();
  const h = host.toLowerCase().replace(/\.$/, '');
  if (!text.startsWith('*.')) return text === h;
  const dot = h.indexOf('.');
  return dot > 0 && h.slice(dot + 1) === text.slice(2);
}
