import { agreedRrset, disagreement, ownRecords } from './apply-observation.js';
import type { RecordSteps } from './move-mx.js';
import type { ServerAnswer } from './types.js';

/** A record that Hermetic wrote for a domain and that is no longer needed. */
export interface OwnRecord {
  readonly domain: string;
  readonly name: string;
  readonly type: 'CNAME' | 'TXT';
  /** The record as Hermetic wrote it; undefined if Hermetic did not write the record. */
  readonly written: string | undefined;
  /**
   * Selects the records at the name that are of the same kind as the written record.
   * Other records remain unchanged.
   */
  readonly isKind: (record: string) => boolean;
  readonly rdata: (record: string) => string;
  /**
   * Returns the same text for records of the same meaning. Default: the record itself.
   */
  readonly normalize?: (record: string | undefined) => string | undefined;
  /** Seconds. */
  readonly ttl: number;
  readonly because: string;
  readonly clause: string;
}

/**
 * Plans the removal of a record while it still has its written meaning. A record that the
 * operator changed remains, and a wait of the plan reports it. An absent record needs no
 * step.
 */
export function removeOwn(ownRecord: OwnRecord, answers: readonly ServerAnswer[]): RecordSteps {
  const { domain, name, type, written, isKind, rdata, ttl, because, clause } = ownRecord;
  const normalize = ownRecord.normalize ?? ((text) => text);
  const waitFor = (why: string): RecordSteps => ({
    steps: [],
    waits: [{ subject: domain, why }],
  });
  const shown = agreedRrset(answers);
  if (!shown) return waitFor(disagreement(name, `${type} of ${name}`, answers).why);
  const own = ownRecords(shown);
  const present = own.filter(isKind);
  if (present.length === 0) return { steps: [], waits: [] };
  if (present.length !== 1 || !present.every((text) => normalize(text) === normalize(written)))
    return waitFor(
      `${name} stays unchanged, because hermetic did not write this ${type}: ${present.join(', ')}`,
    );
  const from = own.map(rdata).sort();
  const remaining = own.filter((text) => !isKind(text));
  const to = remaining.map(rdata).sort();
  return {
    steps: [{ action: { kind: 'set-rrset', name, type, from, to, ttl }, because, clause }],
    waits: [],
  };
}
