import { isUtf8 } from 'node:buffer';
import type { Notes } from './notes.js';

/**
 * Returns the text of a JSON document. RFC 7493 §2.1 requires UTF-8 without a byte order
 * mark; this decoder also accepts UTF-16, byte order marks and invalid octets, and notes
 * each of them. UTF-16 without a mark is recognised by its zero octets, since JSON begins
 * with an ASCII character.
 */
export function decodeText(inputBytes: Uint8Array, notes?: Notes): string {
  const utf16 = utf16Of(inputBytes);
  if (utf16 !== undefined) {
    notes?.add('encoding-not-utf8', '', utf16);
    const even = inputBytes.subarray(0, inputBytes.length & ~1);
    const text = Buffer.from(even);
    return (utf16 === 'utf-16be' ? text.swap16() : text).toString('utf16le').replace(/^\ufeff/, '');
  }
  const sourceText = decodeUtf8(inputBytes, notes);
  if (sourceText.charCodeAt(0) !== 0xfeff) return sourceText;
  notes?.add('byte-order-mark', '');
  return sourceText.slice(1);
}

/**
 * Returns the byte order of UTF-16; undefined for UTF-8. UTF-16 is recognised by its byte
 * order mark, or by the zero octet next to the first character: a report begins with an
 * ASCII brace or space.
 */
function utf16Of([first, second, third]: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first !== 0 && second === 0) return 'utf-16le';
  return first === 0 && second !== 0 && third === 0 ? 'utf-16be' : undefined;
}

/** Decodes UTF-8. An invalid octet becomes U+FFFD and is noted. */
function decodeUtf8(inputBytes: Uint8Array, notes?: Notes): string {
  if (!isUtf8(inputBytes)) notes?.add('encoding-not-utf8', '', 'octets that are not UTF-8');
  return Buffer.from(inputBytes.buffer, inputBytes.byteOffset, inputBytes.length).toString('utf8');
}
