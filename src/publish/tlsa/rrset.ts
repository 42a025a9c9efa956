import type { KeySlot, Rrset, ServerKey, TlsaRolloverState } from './types.js';

/**
 * Returns the TLSA records of keys: DANE-EE(3) SPKI(1), one for each key and matching
 * type. Certificate usage 2 is never published, because it binds the host to a CA and to
 * the order of its chain. [7672-3.1-1, 7672-3.1.1-3, 7672-3.1.2-2]
 */
export function recordsOf(
  serverKeys: readonly ServerKey[],
  matchingTypes: readonly (1 | 2)[],
): readonly string[] {
  return sortedRecords(
    serverKeys.flatMap((serverKey) =>
      matchingTypes.map(
        (type) => `3 1 ${type} ${type === 1 ? serverKey.sha256 : serverKey.sha512}`,
      ),
    ),
  );
}

/**
 * Returns whether every combination of usage, selector and matching type in the RRset has
 * a record for this key [7671-8.4-1]. A sender may support only one of the combinations,
 * so one matching record in the RRset is not sufficient. An empty RRset covers every key:
 * without records no sender verifies. Records other than `3 1 1` and `3 1 2` cannot be
 * compared here and cover no key.
 */
export function covers({ records }: Pick<Rrset, 'records'>, serverKey: ServerKey): boolean {
  const ownRecords = new Set(recordsOf([serverKey], [1, 2]));
  return parameterSets(records).every((parameters) =>
    records.some((record) => ownRecords.has(record) && parametersOf(record) === parameters),
  );
}

/** Returns usage, selector and matching type of the records, each combination once. */
export function parameterSets(records: readonly string[]): readonly string[] {
  return [...new Set(records.map(parametersOf))].sort();
}

function parametersOf(record: string): string {
  return record.split(' ').slice(0, 3).join(' ');
}

/** Sorts records and drops duplicates: an RRset is a set (RFC 2181 §5). */
export function sortedRecords(records: readonly string[]): readonly string[] {
  return [...new Set(records)].sort();
}

/** Returns whether two lists of sorted records are equal. The TTL is ignored. */
export function sameRecords(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((record, index) => record === right[index]);
}

/**
 * Returns the keys that the server may present now: those in use and those being
 * deployed.
 */
export function presentableKeys({ slots }: Pick<TlsaRolloverState, 'slots'>): readonly ServerKey[] {
  return Object.values(slots).flatMap(({ current, next, deploying }: KeySlot) =>
    present(current, deploying ? next : undefined),
  );
}

/** Returns the keys in use and next keys. */
export function knownKeys({ slots }: Pick<TlsaRolloverState, 'slots'>): readonly ServerKey[] {
  return Object.values(slots).flatMap(({ current, next }: KeySlot) => present(current, next));
}

function present(...serverKeys: readonly (ServerKey | undefined)[]): readonly ServerKey[] {
  return serverKeys.filter((serverKey) => serverKey !== undefined);
}
