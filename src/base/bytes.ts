/** Concatenates byte strings into a new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const output = new Uint8Array(parts.reduce((count, octets) => count + octets.length, 0));
  let offset = 0;
  for (const part of parts) {
    output.set(part, offset);
    offset += part.length;
  }
  return output;
}

/**
 * Compares byte strings octet by octet; a prefix sorts first. RFC 4034 §6.3 requires this
 * order for RDATA.
 */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  return Buffer.compare(left, right);
}

/**
 * Returns true for byte strings with equal contents. The comparison is not constant-time:
 * do not compare secrets with it.
 */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && Buffer.compare(left, right) === 0;
}

/** Returns the octets in lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/**
 * Converts hexadecimal to bytes; returns undefined for any other text. Spaces are not
 * accepted.
 */
export function fromHex(hexText: string): Uint8Array | undefined {
  if (/^([0-9a-fA-F]{2})*$/.test(hexText)) return new Uint8Array(Buffer.from(hexText, 'hex'));
  return undefined;
}

/** Returns the octets in standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** Converts standard base64 to bytes; returns undefined for any other text. */
export function fromBase64(base64Text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64Text) || base64Text.length % 4 !== 0) return undefined;
  return new Uint8Array(Buffer.from(base64Text, 'base64'));
}

/**
 * Decodes bytes as ISO 8859-1, one character per byte. SMTP and DNS text has no declared
 * encoding; this decoding is lossless and never fails.
 */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
