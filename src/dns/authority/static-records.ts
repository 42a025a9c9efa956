import type { Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import type { RecordSets } from './lookup-zone.js';

/** Looks up the record sets of a fixed list of records. */
export class StaticRecords {
  readonly #sets = new Map<string, Map<number, ResourceRecord[]>>();

  constructor(apex: Name, records: Iterable<ResourceRecord>) {
    for (const resourceRecord of records) {
      const { name, type } = resourceRecord;
      const ofName = this.#at(name);
      ofName.set(type, [...(ofName.get(type) ?? []), resourceRecord]);
      // Names between a record and the apex exist without records (RFC 8020 §2).
      for (let node = name; node.labelCount > apex.labelCount; node = node.parent)
        this.#at(node.parent);
    }
  }

  #at(domainName: Name): Map<number, ResourceRecord[]> {
    const known = this.#sets.get(domainName.key) ?? new Map<number, ResourceRecord[]>();
    this.#sets.set(domainName.key, known);
    return known;
  }

  /**
   * Returns the record sets of a name: undefined for a name that does not exist, empty
   * for an empty non-terminal.
   */
  recordSets(domainName: Name): RecordSets | undefined {
    return this.#sets.get(domainName.key);
  }
}
