import { type Name, fail, ok, type Result } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import type { Message } from '../wire/message.js';
import { parseRecord } from '../wire/presentation.js';
import { typeNumber, RRClass, RRType } from '../wire/types-registry.js';
import { wireFailures } from '../wire/failures.js';

/**
 * A change of one RRset. The RDATA is in presentation form. An empty list means the RRset
 * does not exist.
 */
export interface RrsetChange {
  /** Apex of the zone. */
  readonly zone: Name;
  readonly name: Name;
  /** Mnemonic of the record type, such as `TLSA`. */
  readonly type: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

/** UPDATE (RFC 2136 §2.2). */
const OPCODE = 5;

/**
 * Returns an update that takes effect only if the RRset is exactly `from`
 * (RFC 2136 §2.4.2, §2.4.3), and that changes no other name or type (§2.5). [2136-2.4-1]
 * If `from` equals `to`, the update changes nothing and only tests the RRset.
 *
 *   section        content (RFC 2136 §2)
 *   zone           the apex, type SOA
 *   prerequisite   `from`: the RRset exists with exactly these records, class IN, TTL 0;
 *                  empty `from`: the RRset does not exist, class NONE
 *   update         delete the RRset, class ANY; then add the records of `to`, class IN
 *
 * Fails with `dns-text-malformed` for an unknown type and for RDATA that cannot be
 * parsed.
 */
export function updateMessage(
  { zone, name, type, from, to, ttl }: RrsetChange,
  id: number,
): Result<Message> {
  const number = typeNumber(type);
  if (number === undefined) return fail(wireFailures.make('dns-text-malformed', `no type ${type}`));
  const before = records(name, type, from, 0);
  if (!before.ok) return before;
  const after = records(name, type, to, ttl);
  if (!after.ok) return after;
  // No RDATA: the operators of §2.4.3 and §2.5.2 refer to a whole RRset.
  const empty = { name, type: number, ttl: 0, rdata: new Uint8Array() };
  const same = from.length === to.length && from.every((rdata) => to.includes(rdata));
  return ok({
    id,
    opcode: OPCODE,
    rcode: 0,
    response: false,
    authoritative: false,
    truncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    questions: [{ name: zone, type: RRType.SOA, class: RRClass.IN }],
    answers: from.length > 0 ? before.value : [{ ...empty, class: RRClass.NONE }],
    authorities: same ? [] : [{ ...empty, class: RRClass.ANY }, ...after.value],
    additionals: [],
  });
}

/** Parses RDATA in presentation form into records of one RRset. */
function records(
  domainName: Name,
  type: string,
  values: readonly string[],
  ttlSeconds: number,
): Result<ResourceRecord[]> {
  const parsedRecords: ResourceRecord[] = [];
  for (const value of values) {
    const parsed = parseRecord(`@ ${ttlSeconds} IN ${type} ${value}`, { origin: domainName });
    if (!parsed.ok) return parsed;
    parsedRecords.push(parsed.value);
  }
  return ok(parsedRecords);
}
