import type { SetRrset } from '../actions.js';

/**
 * Formats a change of an RRset as zone text to paste. Records to remove and to keep are
 * comments. Records to add are lines of the zone.
 */
export function formatChange({ name, type, from, to, ttl }: SetRrset): string {
  const removed = from
    .filter((rdata) => !to.includes(rdata))
    .map((rdata) => `; remove: ${name}. ${type} ${rdata}`);
  const added = to
    .filter((rdata) => !from.includes(rdata))
    .map((rdata) => `${name}. ${ttl} IN ${type} ${rdata}`);
  const unchanged = to
    .filter((rdata) => from.includes(rdata))
    .map((rdata) => `; keep:   ${name}. ${type} ${rdata}`);
  return [...removed, ...unchanged, ...added].join('\n');
}
