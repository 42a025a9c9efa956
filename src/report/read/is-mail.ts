/** Begins with a header field, or with the envelope line that some tools leave before it. */
export function isMail(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x7b) return false;
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2000)).toString('latin1');
  return /^(From [^\n]*\n|>From [^\n]*\n)?[A-Za-z][A-Za-z0-9-]*:[ \t\r\n]/.test(start.replace(/^(\xef\xbb\xbf|\s)+/, ''));
}

/** Blank lines before a mail would end its header. */
export function withoutBlankStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (bytes[start] === 0x0a || bytes[start] === 0x0d || bytes[start] === 0x20) start++;
  return start === 0 ? bytes : bytes.subarray(start);
}
