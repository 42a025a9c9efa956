import { isUtf8 } from 'node:buffer';
import type { Notes } from './notes.js';

/**
 * JSON text from bytes. RFC 7493 §2.1 wants UTF-8 without more; UTF-16, byte order marks
 * and stray octets are read all the same.
 */
export function decodeText(bytes: Uint8Array, notes?: Notes): string {
  const [a, b, c] = bytes;
  const utf16 =
    a === 0xff && b === 0xfe
      ? 'utf-16le'
      : a === 0xfe && b === 0xff
        ? 'utf-16be'
        : a !== 0 && b === 0
          ? 'utf-16le'
          : a === 0 && b !== 0 && c === 0
            ? 'utf-16be'
            : undefined;
  if (utf16 !== undefined) {
    notes?.add('encoding-not-utf8', '', utf16);
    const even = bytes.subarray(0, bytes.length & ~1);
    const text = Buffer.from(even);
    return (utf16 === 'utf-16be' ? text.swap16() : text).toString('utf16le').replace(/^\ufeff/, '');
  }
  const text = decodeUtf8(bytes, notes);
  if (text.charCodeAt(0) !== 0xfeff) return text;
  notes?.add('byte-order-mark', '');
  return text.slice(1);
}

function decodeUtf8(bytes: Uint8Array, notes?: Notes): string {
  if (!isUtf8(bytes)) notes?.add('encoding-not-utf8', '', 'octets that are no UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
