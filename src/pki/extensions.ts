import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectId,
  octetString,
  sequence,
  tlv,
} from './der-writer.js';
import { keyUsages } from '../x509/index.js';

/** Names of the key usage bits (RFC 5280 §4.2.1.3). */
export type KeyUsage = (typeof keyUsages)[number];

/** A GeneralName in DER, or a string for a dNSName. */
export type AltName = string | Uint8Array;

/** Subtrees that a CA may (`permitted`) or must not (`excluded`) certify. */
export interface Subtrees {
  readonly permitted?: readonly AltName[];
  readonly excluded?: readonly AltName[];
}

/** Other forms of GeneralName, written as given (RFC 5280 §4.2.1.6). */
export const altName = {
  email: (mailbox: string): Uint8Array => implicit(1, Buffer.from(mailbox, 'latin1')),
  uri: (uri: string): Uint8Array => implicit(6, Buffer.from(uri, 'latin1')),
  /** An address, or an address with its mask in a constraint. */
  ip: (...octets: readonly number[]): Uint8Array => implicit(7, Uint8Array.from(octets)),
  directory: (name: Uint8Array): Uint8Array => explicit(4, name),
} as const;

/** Writes one extension. `value` is the DER inside the octet string (RFC 5280 §4.1). */
export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  // DER omits a default value, so a non-critical extension has no boolean.
  const criticality = critical ? [boolean(true)] : [];
  return sequence(objectId(oid), ...criticality, octetString(value));
}

/**
 * Returns the basicConstraints extension: CA flag and path length (RFC 5280 §4.2.1.9).
 */
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

/** Returns the keyUsage extension (RFC 5280 §4.2.1.3). */
export function keyUsage(wanted: readonly KeyUsage[]): Uint8Array {
  const positions = wanted.map((usage) => keyUsages.indexOf(usage));
  const octet = positions.reduce((bits, position) => bits | (0x80 >> position), 0);
  return extension('2.5.29.15', true, bitString(Uint8Array.of(octet), 7 - Math.max(...positions)));
}

/**
 * Returns the extended key usage extension (RFC 5280 §4.2.1.12). `purposes`: dotted OIDs.
 */
export function extendedKeyUsage(purposes: readonly string[]): Uint8Array {
  return extension('2.5.29.37', false, sequence(...purposes.map(objectId)));
}

/**
 * Returns the subjectAltName extension with the names as given; it must be critical if
 * the subject is empty (RFC 5280 §4.2.1.6).
 */
export function subjectAltName(altNames: readonly AltName[], critical = false): Uint8Array {
  return extension('2.5.29.17', critical, sequence(...altNames.map(generalName)));
}

/**
 * Returns the nameConstraints extension: the names that a CA may certify, and those that
 * it must not (RFC 5280 §4.2.1.10).
 */
export function nameConstraints({ permitted, excluded }: Subtrees): Uint8Array {
  const subtrees = (number: number, altNames: readonly AltName[] | undefined): Uint8Array[] =>
    altNames ? [tlv(0xa0 | number, ...altNames.map((name) => sequence(generalName(name))))] : [];
  return extension(
    '2.5.29.30',
    true,
    sequence(...subtrees(0, permitted), ...subtrees(1, excluded)),
  );
}

/**
 * Returns the subjectKeyIdentifier extension, which identifies the certified key (RFC
 * 5280 §4.2.1.2).
 */
export function subjectKeyIdentifier(id: Uint8Array): Uint8Array {
  return extension('2.5.29.14', false, octetString(id));
}

/**
 * Returns the authorityKeyIdentifier extension, which identifies the issuer's key (RFC
 * 5280 §4.2.1.1).
 */
export function authorityKeyIdentifier(id: Uint8Array): Uint8Array {
  return extension('2.5.29.35', false, sequence(implicit(0, id)));
}

function generalName(name: AltName): Uint8Array {
  return typeof name === 'string' ? implicit(2, Buffer.from(name, 'latin1')) : name;
}
