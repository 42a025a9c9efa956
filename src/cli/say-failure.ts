import { allFailures } from './all-failures.js';
import type { Failure, FailureEntry } from '../base/index.js';

const entries: ReadonlyMap<string, FailureEntry> = new Map(
  allFailures.flatMap(([, catalogue]) => Object.entries(catalogue.entries)),
);

/** Every code there is. */
export const failureCodes: readonly string[] = [...entries.keys()];

/** What the catalogues know of a code. */
export function failureEntry(code: string): FailureEntry | undefined {
  return entries.get(code);
}

/**
 * A failure for people, without a final dot: `The resolver did not answer in time:
 * 192.0.2.53:53 (dns-timeout)`.
 */
export function sayFailure({ code, detail }: Pick<Failure, 'code' | 'detail'>): string {
  const says = entries.get(code)?.says.replace(/\.$/, '');
  return `${[says, detail].filter(Boolean).join(': ')} (${code})`.trimStart();
}
