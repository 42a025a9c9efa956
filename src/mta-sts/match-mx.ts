/**
 * Whether a policy pattern admits an MX host (RFC 8461 §4.1): case-insensitive; `*.`
 * stands for exactly one left-most label [8461-4.1-1].
 */
export function matchMx(pattern: string, host: string): boolean {
  const p = pattern.toLowerCase();
  const h = host.toLowerCase().replace(/\.$/, '');
  if (!p.startsWith('*.')) return p === h;
  const dot = h.indexOf('.');
  return dot > 0 && h.slice(dot + 1) === p.slice(2);
}
