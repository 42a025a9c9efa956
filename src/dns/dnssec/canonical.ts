import { compareBytes, type Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { canonicalRdata } from '../wire/rdata-layout.js';
import type { Rrsig } from '../wire/rdata.js';

/**
 * Compares two names in the canonical order of RFC 4034 §6.1: label by label from the
 * right, octets in lower case, a missing label first.
 */
export function compareNames(domainName: Name, name: Name): number {
  const left = loweredLabels(domainName);
  const right = loweredLabels(name);
  for (let index = 1; index <= Math.min(left.length, right.length); index++) {
    const order = Buffer.compare(
      left[left.length - index] as Buffer,
      right[right.length - index] as Buffer,
    );
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Returns the labels in lower case, as octets, without the root. */
function loweredLabels(domainName: Name): Buffer[] {
  const wire = Buffer.from(domainName.key, 'latin1');
  const labels: Buffer[] = [];
  for (let offset = 0; wire[offset] !== 0; offset += 1 + (wire[offset] as number))
    labels.push(wire.subarray(offset + 1, offset + 1 + (wire[offset] as number)));
  return labels;
}

/** Returns the wire format of a name in lower case. */
export function canonicalName(domainName: Name): Uint8Array {
  return Buffer.from(domainName.key, 'latin1');
}

/**
 * Returns the label count that an RRSIG would contain for a name: without the root and
 * without a leading wildcard (RFC 4034 §3.1.3).
 */
export function countLabels(domainName: Name): number {
  return domainName.labelCount - (domainName.isWildcard ? 1 : 0);
}

/**
 * Returns the RDATA of an RRset in canonical form and order, without duplicates
 * (RFC 4034 §6.2, §6.3).
 *
 * The octets are compared as unsigned numbers, and a prefix sorts before a longer RDATA.
 */
export function canonicalRdatas(rrset: readonly ResourceRecord[]): readonly Uint8Array[] {
  const [only] = rrset;
  if (rrset.length === 1 && only) return [canonicalRdata(only.rdata, only.type)];
  const sorted = rrset
    .map((resourceRecord) => canonicalRdata(resourceRecord.rdata, resourceRecord.type))
    .sort(compareBytes);
  return sorted.filter(
    (recordData, index) =>
      index === 0 || Buffer.compare(sorted[index - 1] as Uint8Array, recordData) !== 0,
  );
}

/**
 * Builds the octets that an RRSIG signs (RFC 4034 §3.1.8.1): its own RDATA without the
 * signature, then the RRset in canonical form and order. The owner is the wildcard if the
 * label count of the RRSIG is lower than that of the owner. Pass `rdatas` to avoid
 * sorting the same RRset again for another signature.
 *
 *   octets   field
 *   18 + n   RRSIG RDATA without the signature, signer in canonical form
 *   then for each record, in canonical order:
 *   ...      owner in canonical form
 *   2        type
 *   2        class
 *   4        original TTL of the RRSIG, not the TTL of the record
 *   2        length of the RDATA
 *   ...      RDATA in canonical form
 */
export function signedData(
  rrset: readonly ResourceRecord[],
  rrsig: Rrsig,
  rdatas = canonicalRdatas(rrset),
): Uint8Array {
  const first = rrset[0] as ResourceRecord;
  const wildcard = countLabels(first.name) > rrsig.labels;
  const ownerName = wildcard ? `\x01*${first.name.suffix(rrsig.labels).key}` : first.name.key;
  const head = ownerName.length + 10;
  const signature = rrsigHead(rrsig);
  const output = Buffer.allocUnsafe(
    rdatas.reduce((count, recordData) => count + head + recordData.length, signature.length),
  );
  output.set(signature, 0);
  let offset = signature.length;
  for (const recordData of rdatas) {
    offset += output.write(ownerName, offset, 'latin1');
    offset = output.writeUInt16BE(first.type, offset);
    offset = output.writeUInt16BE(first.class, offset);
    offset = output.writeUInt32BE(rrsig.originalTtl, offset);
    offset = output.writeUInt16BE(recordData.length, offset);
    output.set(recordData, offset);
    offset += recordData.length;
  }
  return output;
}

/**
 * Returns the RRSIG RDATA before the signature field, with the signer's name in lower
 * case.
 */
export function rrsigHead(fields: Omit<Rrsig, 'signature'>): Uint8Array {
  const output = Buffer.allocUnsafe(18 + fields.signer.key.length);
  output.writeUInt16BE(fields.typeCovered, 0);
  output[2] = fields.algorithm;
  output[3] = fields.labels;
  output.writeUInt32BE(fields.originalTtl, 4);
  output.writeUInt32BE(fields.expiration, 8);
  output.writeUInt32BE(fields.inception, 12);
  output.writeUInt16BE(fields.keyTag, 16);
  output.write(fields.signer.key, 18, 'latin1');
  return output;
}

/**
 * Returns the key tag of DNSKEY RDATA (RFC 4034 appendix B).
 *
 * Different keys of a zone can have the same tag, so a tag only selects candidate keys.
 */
export function keyTag(recordData: Uint8Array): number {
  // For RSA/MD5 the tag is part of the modulus (RFC 4034 appendix B.1).
  if (recordData[3] === 1) {
    if (recordData.length < 3) return 0;
    return (
      ((recordData[recordData.length - 3] as number) << 8) |
      (recordData[recordData.length - 2] as number)
    );
  }
  let sum = 0;
  for (let index = 0; index < recordData.length; index++)
    sum += (index & 1) === 0 ? (recordData[index] as number) << 8 : (recordData[index] as number);
  return (sum + (sum >>> 16)) & 0xffff;
}

/** Returns a number as two octets, most significant octet first. */
export function encodeUint16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 255, value & 255);
}
