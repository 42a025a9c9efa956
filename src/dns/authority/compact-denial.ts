import { concat, Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { encodeTypeBitmap, makeRecord } from '../wire/rdata.js';
import { RRType } from '../wire/types-registry.js';

const MAX_LABEL = 63;

/**
 * Returns the NSEC record of a compact answer (RFC 9824 §3). The owner of the record is
 * the name in the question, and the record covers no other existing name. `types` is
 * undefined for a name that does not exist.
 */
export function compactNsec(
  owner: Name,
  types: readonly number[] | undefined,
  { apex, ttlSeconds }: { readonly apex: Name; readonly ttlSeconds: number },
): ResourceRecord {
  const isCut = types?.includes(RRType.NS) === true && !types.includes(RRType.SOA);
  // Names below a zone cut belong to the child zone, so the record spans all of them.
  const next = (isCut ? undefined : firstBelow(owner)) ?? firstAfter(owner, apex);
  const bitmap = encodeTypeBitmap([...(types ?? [RRType.NXNAME]), RRType.NSEC, RRType.RRSIG]);
  return makeRecord(owner, RRType.NSEC, ttlSeconds, concat(next.wire, bitmap));
}

/**
 * Returns the immediate successor in canonical order: the first possible name below this
 * name. Undefined if that name would be too long.
 */
function firstBelow(domainName: Name): Name | undefined {
  const below = Name.fromLabels([Uint8Array.of(0), ...domainName.labels]);
  return below.ok ? below.value : undefined;
}

/**
 * Returns the first name after a name and after all names below it (RFC 4470 §3.1.2). The
 * apex follows the last name of the zone.
 */
export function firstAfter(domainName: Name, apex: Name): Name {
  const [label, ...above] = domainName.labels;
  if (!label || domainName.labelCount <= apex.labelCount) return apex;
  if (label.length < MAX_LABEL) {
    const longer = Name.fromLabels([concat(label, Uint8Array.of(0)), ...above]);
    if (longer.ok) return longer.value;
  }
  for (let length = label.length; length > 0; length--) {
    const last = nextOctet(label[length - 1] as number);
    if (last === undefined) continue;
    const greater = Name.fromLabels([
      concat(label.subarray(0, length - 1), Uint8Array.of(last)),
      ...above,
    ]);
    if (greater.ok) return greater.value;
  }
  return firstAfter(domainName.parent, apex);
}

/**
 * Returns the next octet in canonical order. Canonical order compares letters in lower
 * case, so the capitals are skipped.
 */
function nextOctet(octet: number): number | undefined {
  if (octet === 0xff) return undefined;
  const next = octet + 1;
  if (octet >= 0x41 && octet <= 0x5a) return nextOctet(octet + 0x20);
  return next === 0x41 ? 0x5b : next;
}
