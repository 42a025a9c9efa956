import type { SetRrset, Step, Wait } from '../actions.js';
import { agreed } from './read-policy-world.js';
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
  readonly ttl: number;
  readonly because: string;
  readonly clause: string;
}

/** Removes it while it is exactly as it was written; whatever else stands there is left, and the reason told. Nothing where it is gone. */
export function removeOwn(
  { domain, name, type, written, isKind, rdata, ttl, because, clause }: OwnRecord,
  answers: readonly ServerAnswer[],
): { readonly steps: readonly Step<SetRrset>[]; readonly waits: readonly Wait[] } {
  const shown = agreed(answers);
  const wait = (why: string): { steps: []; waits: readonly Wait[] } => ({
    steps: [],
    waits: [{ subject: domain, why }],
  });
  if (!shown)
    return wait(`the authoritative servers do not all answer with the same ${type} of ${name}`);
  const present = shown.records.filter(isKind);
  if (present.length === 0) return { steps: [], waits: [] };
  if (present.join('\n') !== written)
    return wait(
      `${name} is left as it is, since this ${type} was not written here: ${present.join(', ')}`,
    );
  const from = shown.records.map(rdata).sort();
  const to = shown.records
    .filter((record) => !isKind(record))
    .map(rdata)
    .sort();
  return {
    steps: [{ action: { kind: 'set-rrset', name, type, from, to, ttl }, because, clause }],
    waits: [],
  };
}
