import {
  bitString,
  boolean,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  tlv,
} from './der-writer.js';
import { keyUsages } from '../x509/index.js';

export type KeyUsage = (typeof keyUsages)[number];

/** DNS subtrees a CA may (`permitted`) or must not (`excluded`) vouch for. */
export interface DnsConstraints {
  readonly permitted?: readonly string[];
  readonly excluded?: readonly string[];
}

/** One extension; `value` is the DER inside the octet string. */
export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return sequence(objectId(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

export function basicConstraints(ca: boolean, pathLength?: number): Uint8Array {
  return extension(
    '2.5.29.19',
    true,
    sequence(
      ...(ca ? [boolean(true)] : []),
      ...(pathLength === undefined ? [] : [integer(pathLength)]),
    ),
  );
}

export function keyUsage(wanted: readonly KeyUsage[]): Uint8Array {
  const positions = wanted.map((usage) => keyUsages.indexOf(usage));
  const octet = positions.reduce((bits, at) => bits | (0x80 >> at), 0);
  return extension('2.5.29.15', true, bitString(Uint8Array.of(octet), 7 - Math.max(...positions)));
}

/** Purposes as dotted OIDs. */
export function extendedKeyUsage(purposes: readonly string[]): Uint8Array {
  return extension('2.5.29.37', false, sequence(...purposes.map(objectId)));
}

/** dNSName entries, written as they are given. */
export function subjectAltName(names: readonly string[]): Uint8Array {
  return extension('2.5.29.17', false, sequence(...names.map(dnsName)));
}

export function nameConstraints({ permitted, excluded }: DnsConstraints): Uint8Array {
  const subtrees = (number: number, names: readonly string[] | undefined): Uint8Array[] =>
    names ? [tlv(0xa0 | number, ...names.map((name) => sequence(dnsName(name))))] : [];
  return extension(
    '2.5.29.30',
    true,
    sequence(...subtrees(0, permitted), ...subtrees(1, excluded)),
  );
}

export function subjectKeyIdentifier(id: Uint8Array): Uint8Array {
  return extension('2.5.29.14', false, octetString(id));
}

export function authorityKeyIdentifier(id: Uint8Array): Uint8Array {
  return extension('2.5.29.35', false, sequence(implicit(0, id)));
}

function dnsName(name: string): Uint8Array {
  return implicit(2, Buffer.from(name, 'latin1'));
}
