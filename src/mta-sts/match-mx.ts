/**
 * Returns true if an `mx` pattern of a policy matches an MX host (RFC 8461 §4.1).
 * Comparison ignores case; `*.` matches exactly one left-most label [8461-4.1-1].
 */
export function matchMx(pattern: string, host: string): boolean {
  const lowerPattern = pattern.toLowerCase();
  const hostName = host.toLowerCase().replace(/\.$/, '');
  if (!lowerPattern.startsWith('*.')) return lowerPattern === hostName;
  const dot = hostName.indexOf('.');
  return dot > 0 && hostName.slice(dot + 1) === lowerPattern.slice(2);
}
