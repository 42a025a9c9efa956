import type { SetRrset, Step, Wait } from '../actions.js';
import { agreed, disagreement, ownRecords } from './apply-observation.js';
import type { ServerAnswer } from './types.js';

/** A record that was written for a domain and is needed no longer. */
export interface OwnRecord {
  readonly domain: string;
  readonly name: string;
  readonly type: 'CNAME' | 'TXT';
  /** As it was written; undefined where it was not. */
  readonly written: string | undefined;
  /** Which of the records at the name are of its kind; the others are left alone. */
  readonly isKind: (record: string) => boolean;
  readonly rdata: (record: string) => string;
  /** Equal for records that mean the same. Default: the record as it is. */
  readonly means?: (record: string | undefined) => string | undefined;
  readonly ttl: number;
  readonly because: string;
  readonly clause: string;
}

/**
 * Removes it while it means what was written; another record is left, with the reason.
 * Nothing where it is gone.
 */
export function removeOwn(
  {
    domain,
    name,
    type,
    written,
    isKind,
    rdata,
    means = (record) => record,
    ttl,
    because,
    clause,
  }: OwnRecord,
  answers: readonly ServerAnswer[],
): { readonly steps: readonly Step<SetRrset>[]; readonly waits: readonly Wait[] } {
  const shown = agreed(answers);
  const wait = (why: string): { steps: []; waits: readonly Wait[] } => ({
    steps: [],
    waits: [{ subject: domain, why }],
  });
  if (!shown) return wait(disagreement(name, `${type} of ${name}`, answers).why);
  const own = ownRecords(shown);
  const present = own.filter(isKind);
  if (present.length === 0) return { steps: [], waits: [] };
  if (present.length !== 1 || !present.every((record) => means(record) === means(written)))
    return wait(
      `${name} is left as it is, since this ${type} was not written here: ${present.join(', ')}`,
    );
  const from = own.map(rdata).sort();
  const to = own
    .filter((record) => !isKind(record))
    .map(rdata)
    .sort();
  return {
    steps: [{ action: { kind: 'set-rrset', name, type, from, to, ttl }, because, clause }],
    waits: [],
  };
}
