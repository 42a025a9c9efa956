import type { UnsupportedZone } from '../dns/index.js';

/** One sentence on a signed zone that counts as unsigned. */
export function sayUnsupported({ zone, algorithms }: UnsupportedZone): string {
  const what =
    algorithms.length === 1
      ? 'an algorithm that no longer counts'
      : 'algorithms that no longer count';
  return `The zone ${zone} is signed with ${algorithms.join(', ')}, ${what}: it is treated as unsigned (RFC 9905 §2).`;
}
