/**
 * Formats a text as TXT RDATA in presentation form: quoted character strings of at most
 * 255 octets, which clients join without spaces (RFC 7208 §3.3). Each character of `text`
 * is one octet.
 */
export function txtRdata(text: string): string {
  const strings = text.match(/[\s\S]{1,255}/g) ?? [''];
  return strings
    .map((part) => `"${part.replace(/["\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, escaped)}"`)
    .join(' ');
}

function escaped(octet: string): string {
  return `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`;
}
