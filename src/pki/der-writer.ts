/**
 * Writers for the DER types that certificates contain (X.690). Each returns one complete
 * value: tag, length, content. The writers check nothing, so they can also write invalid
 * values.
 */

/** Writes a value with any tag. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((total, part) => total + part.length, 0);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(length), ...parts]);
}

/** A SEQUENCE of values. */
export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...parts);
/** An OCTET STRING. */
export const octetString = (bytes: Uint8Array): Uint8Array => tlv(0x04, bytes);
/** A BIT STRING; `unused` counts the unused bits of the last octet. */
export const bitString = (bytes: Uint8Array, unused = 0): Uint8Array =>
  tlv(0x03, Uint8Array.of(unused), bytes);
/** A BOOLEAN; true is 0xff (X.690 §11.1). */
export const boolean = (value: boolean): Uint8Array => tlv(0x01, Uint8Array.of(value ? 0xff : 0));
/** A NULL. */
export const nothing = (): Uint8Array => tlv(0x05);
/** A UTF8String. */
export const utf8 = (dateText: string): Uint8Array => tlv(0x0c, Buffer.from(dateText, 'utf8'));

/** A SET of one element, which needs no sorting. */
export const setOf = (element: Uint8Array): Uint8Array => tlv(0x31, element);

/** An explicit context tag around values. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  tlv(0xa0 | number, ...parts);

/** An implicit context tag instead of the tag of a primitive type. */
export const implicit = (number: number, bytes: Uint8Array): Uint8Array =>
  tlv(0x80 | number, bytes);

/**
 * Returns a non-negative INTEGER in the shortest form; a leading zero octet keeps it
 * positive (X.690 §8.3).
 */
export function integer(value: number | Uint8Array): Uint8Array {
  const bytes = typeof value === 'number' ? bigEndian(value) : Buffer.from(value);
  let startOffset = 0;
  while (startOffset < bytes.length - 1 && bytes[startOffset] === 0) startOffset++;
  const magnitude = bytes.subarray(startOffset);
  return tlv(
    0x02,
    (magnitude[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(),
    magnitude.length > 0 ? magnitude : Uint8Array.of(0),
  );
}

function bigEndian(value: number): Uint8Array {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}

/** Returns an OBJECT IDENTIFIER from dotted numbers. */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((arc) => {
    const septets = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return tlv(0x06, Uint8Array.from(bytes));
}

/**
 * Returns a time in whole seconds: UTCTime from 1950 to 2049, GeneralizedTime otherwise
 * (RFC 5280 §4.1.2.5).
 */
export function time(ms: number): Uint8Array {
  const dateText = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  const year = Number(dateText.slice(0, 4));
  if (year >= 1950 && year < 2050) return tlv(0x17, Buffer.from(dateText.slice(2)));
  return tlv(0x18, Buffer.from(dateText));
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let left = length; left > 0; left >>>= 8) octets.unshift(left & 0xff);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}
