/**
 * The digits in order of their values. The alphabet preserves the order of octets, so
 * NSEC3 owner names sort in the order of their hashes.
 */
const alphabet = '0123456789abcdefghijklmnopqrstuv';

/**
 * Returns octets in base32 with the extended hex alphabet, in lower case and without
 * padding (RFC 4648 §7): the format of NSEC3 owner names.
 */
export function toBase32hex(wireBytes: Uint8Array): string {
  let output = '';
  let bits = 0;
  let value = 0;
  for (const octet of wireBytes) {
    value = ((value << 8) | octet) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      output += alphabet[(value >> bits) & 31];
    }
  }
  if (bits > 0) return output + alphabet[(value << (5 - bits)) & 31];
  return output;
}

/**
 * Decodes base32hex of any case; undefined for other characters.
 *
 * Bits that do not fill an octet are ignored.
 */
export function fromBase32hex(sourceText: string): Uint8Array | undefined {
  const output: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of sourceText.toLowerCase()) {
    const digit = alphabet.indexOf(character);
    if (digit < 0) return undefined;
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      output.push((value >> bits) & 255);
    }
  }
  return Uint8Array.from(output);
}
