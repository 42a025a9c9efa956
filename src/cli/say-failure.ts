import { findFailure } from '../catalogue/index.js';
import type { Failure } from '../base/index.js';

export { failureCodes, findFailure as failureEntry } from '../catalogue/index.js';

/**
 * A failure for people, without a final dot: `The resolver did not answer in time:
 * 192.0.2.53:53 (dns-timeout)`.
 */
export function sayFailure({ code, detail }: Pick<Failure, 'code' | 'detail'>): string {
  const says = findFailure(code)?.says.replace(/\.$/, '');
  return `${[says, detail].filter(Boolean).join(': ')} (${code})`.trimStart();
}
