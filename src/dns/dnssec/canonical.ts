import { compareBytes, concat, type Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { canonicalRdata } from '../wire/rdata-layout.js';
import type { Rrsig } from '../wire/rdata.js';

/** Canonical DNS name order (RFC 4034 §6.1): by labels from the right, octets in lower case, absence of a label first. */
export function compareNames(a: Name, b: Name): number {
  const left = loweredLabels(a);
  const right = loweredLabels(b);
  for (let i = 1; i <= Math.min(left.length, right.length); i++) {
    const order = Buffer.compare(left[left.length - i] as Buffer, right[right.length - i] as Buffer);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function loweredLabels(name: Name): Buffer[] {
  const wire = Buffer.from(name.key, 'latin1');
  const labels: Buffer[] = [];
  for (let at = 0; wire[at] !== 0; at += 1 + (wire[at] as number)) labels.push(wire.subarray(at + 1, at + 1 + (wire[at] as number)));
  return labels;
}

/** The wire form in lower case. */
export function canonicalName(name: Name): Uint8Array {
  return Buffer.from(name.key, 'latin1');
}

/** Labels of a name as RRSIG counts them: without the root and without a leading wildcard (RFC 4034 §3.1.3). */
export function countLabels(name: Name): number {
  return name.labels.length - (name.isWildcard ? 1 : 0);
}

/** The RDATA of an RRset in canonical form and order, duplicates removed (RFC 4034 §6.2, §6.3). */
export function canonicalRdatas(rrset: readonly ResourceRecord[]): readonly Uint8Array[] {
  const sorted = rrset.map((rr) => canonicalRdata(rr.rdata, rr.type)).sort(compareBytes);
  return sorted.filter((rdata, i) => i === 0 || Buffer.compare(sorted[i - 1] as Uint8Array, rdata) !== 0);
}

/**
 * What an RRSIG signs (RFC 4034 §3.1.8.1): its own RDATA without the signature, then the RRset in canonical form and order, the owner being the
 * wildcard when the label count says so. `rdatas` spares sorting again for another signature over the same set.
 */
export function signedData(rrset: readonly ResourceRecord[], rrsig: Rrsig, rdatas = canonicalRdatas(rrset)): Uint8Array {
  const first = rrset[0] as ResourceRecord;
  const owner =
    countLabels(first.name) > rrsig.labels
      ? concat(Uint8Array.of(1, 0x2a), canonicalName(first.name.suffix(rrsig.labels)))
      : canonicalName(first.name);
  const head = concat(owner, u16(first.type), u16(first.class), u32(rrsig.originalTtl));
  const parts: Uint8Array[] = [rrsigHead(rrsig)];
  for (const rdata of rdatas) parts.push(head, u16(rdata.length), rdata);
  return concat(...parts);
}

/** RRSIG RDATA up to the signature, the signer's name in lower case. */
export function rrsigHead(r: Omit<Rrsig, 'signature'>): Uint8Array {
  return concat(
    u16(r.typeCovered),
    Uint8Array.of(r.algorithm, r.labels),
    u32(r.originalTtl),
    u32(r.expiration),
    u32(r.inception),
    u16(r.keyTag),
    canonicalName(r.signer),
  );
}

/** Key tag of DNSKEY RDATA (RFC 4034 appendix B): a hint, not an identity. */
export function keyTag(rdata: Uint8Array): number {
  if (rdata[3] === 1) return rdata.length < 3 ? 0 : ((rdata[rdata.length - 3] as number) << 8) | (rdata[rdata.length - 2] as number);
  let sum = 0;
  for (let i = 0; i < rdata.length; i++) sum += (i & 1) === 0 ? (rdata[i] as number) << 8 : (rdata[i] as number);
  return (sum + (sum >>> 16)) & 0xffff;
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 255, value & 255);
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
