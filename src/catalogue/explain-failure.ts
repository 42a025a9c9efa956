import type { Failure, FailureEntry } from '../base/index.js';
import { allFailures } from './all-failures.js';

/**
 * The entries of every catalogue by their code. The table is a Map, so that names such as
 * `constructor` are unknown codes and not properties of an object.
 */
const entries: ReadonlyMap<string, FailureEntry> = new Map(
  allFailures.flatMap(([, catalogue]) => Object.entries(catalogue.entries)),
);

/** Every failure code, in the order of the catalogues. */
export const failureCodes: readonly string[] = [...entries.keys()];

/** Finds the catalogue entry of a failure code; undefined for an unknown code. */
export function findFailure(code: string): FailureEntry | undefined {
  return entries.get(code);
}

/**
 * Explains a failure in plain English: the event, its detail, the clause and the fix, in
 * this order on one line. Log lines, results and replies to Postfix use this function, so
 * their texts agree. An unknown code, for example of a newer version, is returned
 * unchanged with its detail. The detail can be text from a peer, which the caller
 * neutralises.
 */
export function explainFailure({ code, detail }: Pick<Failure, 'code' | 'detail'>): string {
  const failureEntry = entries.get(code);
  const particulars = detail === '' ? '' : ` (${detail})`;
  if (!failureEntry) return `${code}${particulars}`;
  const clause = failureEntry.clause === undefined ? '' : ` [${failureEntry.clause}]`;
  return `${failureEntry.message}${particulars}${clause} ${failureEntry.fix}`;
}
