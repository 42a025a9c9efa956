/**
 * Maximum number of lines of a report mail, in addition to one for every 60 octets.
 * Base64 has one line for 78 octets. Indented JSON has shorter lines, but few of them.
 */
const MAX_LINES = 20_000;
const OCTETS_PER_LINE = 60;
const MAX_PARTS = 1000;

/**
 * Octets above which a message is read only if it contains a mark of a report.
 */
const LARGE = 256 * 1024;
/**
 * Marks of a part that may contain a report: in its media type, its file name, or its
 * JSON text.
 */
const marks = /tlsrpt|\.json|\.gz|\.zip|\.eml|message\/rfc822|policies/i;

/**
 * Returns whether a large message has no part that may be a report, so that its parts
 * need not be decoded. A message into which a user pasted a report is small.
 */
export function cannotBeReport(rawMessage: Uint8Array): boolean {
  if (rawMessage.length <= LARGE) return false;
  const octets = Buffer.from(rawMessage.buffer, rawMessage.byteOffset, rawMessage.length);
  return !marks.test(octets.toString('latin1'));
}

/**
 * Returns whether a message has more lines or parts than any report mail: parsing them
 * would take more memory than the message itself.
 */
export function exceedsAnyReport(rawMessage: Uint8Array): boolean {
  return (
    occursMoreThan(rawMessage, '\n', MAX_LINES + rawMessage.length / OCTETS_PER_LINE) ||
    occursMoreThan(rawMessage, '\n--', MAX_PARTS)
  );
}

/** Returns whether a text occurs in the octets more than `most` times. */
export function occursMoreThan(octets: Uint8Array, text: string, most: number): boolean {
  const buffer = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  let found = 0;
  for (let offset = buffer.indexOf(text); offset >= 0; offset = buffer.indexOf(text, offset + 1))
    if (++found > most) return true;
  return false;
}
