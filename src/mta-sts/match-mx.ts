/**
 * Whether a policy pattern admits an MX host (RFC 8461 §4.1): case-insensitive; `*.`
 * stands for exactly one left-most label [8461-4.1-1].
 */
export function matchMx(pattern: string, host: string): boolean {
  const text = pattern.toLowerCase();
  const h = host.toLowerCase().replace(/\.$/, '');
  if (!text.startsWith('*.')) return text === h;
  const dot = h.indexOf('.');
  return dot > 0 && h.slice(dot + 1) === text.slice(2);
}
