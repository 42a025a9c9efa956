/** DER, written: just the types certificates need (X.690). */

export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((n, p) => n + p.length, 0);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(length), ...parts]);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...parts);
export const octetString = (bytes: Uint8Array): Uint8Array => tlv(0x04, bytes);
export const bitString = (bytes: Uint8Array, unused = 0): Uint8Array =>
  tlv(0x03, Uint8Array.of(unused), bytes);
export const boolean = (value: boolean): Uint8Array => tlv(0x01, Uint8Array.of(value ? 0xff : 0));
export const nothing = (): Uint8Array => tlv(0x05);
export const utf8 = (text: string): Uint8Array => tlv(0x0c, Buffer.from(text, 'utf8'));

/** A set of one element, which needs no sorting. */
export const setOf = (element: Uint8Array): Uint8Array => tlv(0x31, element);

/** Constructed and explicit. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  tlv(0xa0 | number, ...parts);

/** Implicit over a primitive type. */
export const implicit = (number: number, bytes: Uint8Array): Uint8Array =>
  tlv(0x80 | number, bytes);

/** A non-negative integer. */
export function integer(value: number | Uint8Array): Uint8Array {
  const bytes =
    typeof value === 'number'
      ? Buffer.from(
          value
            .toString(16)
            .padStart(2, '0')
            .replace(/^(.(?:..)*)$/, '0$1'),
          'hex',
        )
      : Buffer.from(value);
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const magnitude = bytes.subarray(start);
  return tlv(
    0x02,
    (magnitude[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(),
    magnitude.length > 0 ? magnitude : Uint8Array.of(0),
  );
}

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
 * UTCTime until 2049, GeneralizedTime after and before 1950 (RFC 5280 §4.1.2.5). Whole
 * seconds.
 */
export function time(ms: number): Uint8Array {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  const year = Number(text.slice(0, 4));
  return year >= 1950 && year < 2050
    ? tlv(0x17, Buffer.from(text.slice(2)))
    : tlv(0x18, Buffer.from(text));
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let left = length; left > 0; left >>>= 8) octets.unshift(left & 0xff);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}
