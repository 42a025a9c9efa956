import type { SetRrset } from '../actions.js';

/**
 * A change of records as zone text to paste: what goes as a comment, what comes as
 * records.
 */
export function formatChange({ name, type, from, to, ttl }: SetRrset): string {
  const gone = from
    .filter((rdata) => !to.includes(rdata))
    .map((rdata) => `; remove: ${name}. ${type} ${rdata}`);
  const come = to
    .filter((rdata) => !from.includes(rdata))
    .map((rdata) => `${name}. ${ttl} IN ${type} ${rdata}`);
  const kept = to
    .filter((rdata) => from.includes(rdata))
    .map((rdata) => `; keep:   ${name}. ${type} ${rdata}`);
  return [...gone, ...kept, ...come].join('\n');
}
