/**
 * Returns the time when the receiving server accepted a message: the date of its topmost
 * Received field. Signatures expire within days (those of some reporters after seven), so
 * a stored message is judged by the day of its arrival.
 */
export function arrivalOf(rawMessage: Uint8Array): number | undefined {
  const start = Buffer.from(
    rawMessage.buffer,
    rawMessage.byteOffset,
    Math.min(rawMessage.length, 64 * 1024),
  ).toString('latin1');
  const [head = ''] = start.split(/\r?\n\r?\n/, 1);
  const received = /^received:((?:[^\n]|\n[ \t])*)/im.exec(head)?.[1];
  const instant = Date.parse(
    received
      ?.slice(received.lastIndexOf(';') + 1)
      .replace(/\s+/g, ' ')
      .trim() ?? '',
  );
  return Number.isNaN(instant) ? undefined : instant;
}
