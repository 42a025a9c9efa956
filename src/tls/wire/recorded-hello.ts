import { ByteReader, encodeUnsigned, MalformedTls, vector } from './byte-reader.js';
import { Extension } from './client-hello.js';
import { KEY_SHARE_RANDOM, keyShareOf } from './key-share.js';

/** The parts of a recorded hello that differ between connections. */
export interface FreshParts {
  /** Random octets: 64, and {@link KEY_SHARE_RANDOM} more. */
  readonly random: Uint8Array;
  /** Name for SNI, if the recorded hello has one. */
  readonly serverName: string;
  /** Extension types to omit. */
  readonly omitted?: readonly number[];
}

/** Random octets that {@link buildRecordedHello} needs. */
export const RECORDED_HELLO_RANDOM = 64 + KEY_SHARE_RANDOM;

/**
 * Returns the record of a recorded ClientHello with fresh random octets, session id, key
 * shares and server name. All other octets and the order of extensions remain as
 * recorded. Shares of unknown groups, such as those of RFC 8701, are copied. Throws
 * {@link MalformedTls} for octets that are not one ClientHello record.
 *
 *   octets   field
 *   5        record header
 *   4        handshake header
 *   2        legacy_version
 *   32       random
 *   1 + n    legacy_session_id
 *   2 + n    cipher_suites
 *   1 + n    compression methods
 *   2 + n    extensions: type (2), content (2)
 */
export function buildRecordedHello(
  recorded: Uint8Array,
  { random, serverName, omitted = [] }: FreshParts,
): Uint8Array {
  const reader = new ByteReader(recorded);
  const recordVersion = reader.takeBytes(3).subarray(1);
  reader.takeBytes(2);
  if (reader.unsigned(1) !== 1) throw new MalformedTls('not a ClientHello');
  const message = reader.nested(3);
  const version = message.takeBytes(2);
  message.takeBytes(32);
  const sessionId = random.subarray(32, 32 + message.encodeVector(1).length);
  const suites = message.encodeVector(2);
  const compression = message.encodeVector(1);
  const list = message.nested(2);
  const extensions: number[] = [];
  while (list.left > 0) {
    const type = list.unsigned(2);
    const content = list.encodeVector(2);
    if (omitted.includes(type)) continue;
    extensions.push(
      ...encodeUnsigned(type, 2),
      ...vector(2, freshContent(type, content, random, serverName)),
    );
  }
  const body = [
    ...version,
    ...random.subarray(0, 32),
    ...vector(1, [...sessionId]),
    ...vector(2, [...suites]),
    ...vector(1, [...compression]),
    ...vector(2, extensions),
  ];
  return Uint8Array.from([22, ...recordVersion, ...vector(2, [1, ...vector(3, body)])]);
}

/**
 * Returns the content of an extension, renewed if it names the server or contains a key.
 */
function freshContent(
  type: number,
  content: Uint8Array,
  random: Uint8Array,
  serverName: string,
): number[] {
  if (type === Extension.serverName)
    return vector(2, [0, ...vector(2, [...Buffer.from(serverName, 'latin1')])]);
  if (type !== Extension.keyShare) return [...content];
  const list = new ByteReader(content).nested(2);
  const shares: number[] = [];
  while (list.left > 0) {
    const group = list.unsigned(2);
    const recordedKey = list.encodeVector(2);
    const key = keyShareOf(group, random.subarray(64))?.key ?? recordedKey;
    shares.push(...encodeUnsigned(group, 2), ...vector(2, [...key]));
  }
  return vector(2, shares);
}
