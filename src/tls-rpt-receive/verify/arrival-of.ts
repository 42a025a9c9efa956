/**
 * Returns the time when the receiving server accepted a message: the date of the topmost
 * Received field. Some signatures expire after seven days, so a stored message is judged
 * by the time of its arrival.
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
