/**
 * The octets that some programs write before a message: blank lines, a byte order mark,
 * or the number of octets (Apple Mail).
 */
const before = /^(?:\xef\xbb\xbf)?\s*(?:\d+[ \t]*\r?\n)?(?=>?From |[A-Za-z])/;
const header = /^(?:>?From [^\n]*\n)?[A-Za-z][A-Za-z0-9_-]*[ \t]*:[ \t\r\n<]/;

/**
 * Returns the mail in the octets, starting with its header; undefined if the octets do
 * not begin with a mail.
 */
export function mailIn(messageBytes: Uint8Array): Uint8Array | undefined {
  if (messageBytes[0] === 0x7b) return undefined;
  const start = Buffer.from(
    messageBytes.buffer,
    messageBytes.byteOffset,
    Math.min(messageBytes.length, 2000),
  ).toString('latin1');
  const skipped = before.exec(start)?.[0].length;
  return skipped !== undefined && header.test(start.slice(skipped))
    ? messageBytes.subarray(skipped)
    : undefined;
}
