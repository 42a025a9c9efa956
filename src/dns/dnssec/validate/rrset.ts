import { latin1, type Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import type { Message } from '../../wire/message.js';
import { readRrsig, type Rrsig } from '../../wire/rdata.js';
import { RRClass, RRType } from '../../wire/types-registry.js';

/**
 * The records of one owner and type in one message, with their signatures from any
 * section.
 */
export interface RRset {
  readonly name: Name;
  readonly type: number;
  readonly records: readonly ResourceRecord[];
  readonly signatures: readonly { readonly record: ResourceRecord; readonly rrsig: Rrsig }[];
}

/**
 * Groups the answer and authority records of a message into RRsets. Omits records of
 * other classes and malformed signatures.
 */
export function rrsetsOf(message: Message): readonly RRset[] {
  const sets = new Map<
    string,
    {
      name: Name;
      type: number;
      records: ResourceRecord[];
      signatures: { record: ResourceRecord; rrsig: Rrsig }[];
    }
  >();
  const signatures: { record: ResourceRecord; rrsig: Rrsig }[] = [];
  const seen = new Map<object, Set<string>>();
  for (const resourceRecord of [
    ...message.answers,
    ...message.authorities,
    ...message.additionals.filter((record) => record.type === RRType.RRSIG),
  ]) {
    if (resourceRecord.class !== RRClass.IN) continue;
    if (resourceRecord.type === RRType.RRSIG) {
      const rrsig = readRrsig(resourceRecord);
      if (rrsig.ok) signatures.push({ record: resourceRecord, rrsig: rrsig.value });
      continue;
    }
    const setKey = `${resourceRecord.type} ${resourceRecord.name.key}`;
    const set = sets.get(setKey);
    // RFC 2181 §5: duplicates of a record are one record.
    if (set) {
      const known = seen.get(set) ?? new Set(set.records.map((record) => latin1(record.rdata)));
      seen.set(set, known);
      const whole = latin1(resourceRecord.rdata);
      if (!known.has(whole)) set.records.push(resourceRecord);
      known.add(whole);
    } else
      sets.set(setKey, {
        name: resourceRecord.name,
        type: resourceRecord.type,
        records: [resourceRecord],
        signatures: [],
      });
  }
  for (const signature of signatures)
    sets
      .get(`${signature.rrsig.typeCovered} ${signature.record.name.key}`)
      ?.signatures.push(signature);
  return [...sets.values()];
}
