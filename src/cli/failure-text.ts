import type { Failure } from '../base/index.js';
import { findFailure } from '../catalogue/index.js';
import type { UnsupportedZone } from '../dns/index.js';

/**
 * Formats a failure as human-readable text, without a final dot: `The resolver did not
 * answer in time: 192.0.2.53:53 (dns-timeout)`.
 */
export function sayFailure({ code, detail }: Pick<Failure, 'code' | 'detail'>): string {
  const says = findFailure(code)?.message.replace(/\.$/, '');
  return `${[says, detail].filter(Boolean).join(': ')} (${code})`.trimStart();
}

/** Returns one sentence about a signed zone that counts as unsigned. */
export function sayUnsupported({ zone, algorithms }: UnsupportedZone): string {
  const [noun, verb] =
    algorithms.length === 1 ? ['an algorithm', 'counts'] : ['algorithms', 'count'];
  return `The zone ${zone} is signed with ${algorithms.join(', ')}, ${noun} that no longer ${verb}. Validators treat it as unsigned (RFC 9905 §2, RFC 9906 §2).`;
}
