import { createHmac, timingSafeEqual } from 'node:crypto';
import { concat, fail, formatTime, Name, ok, type Result } from '../../base/index.js';
import { MalformedDns, WireReader } from '../wire/wire-reader.js';
import { updateFailures } from './failures.js';

/** Supported digests; HMAC-MD5 and HMAC-SHA-1 are excluded (RFC 8945 §6). [8945-6-1] */
export type TsigAlgorithm = 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';

/**
 * A secret shared with a server.
 *
 * Name and algorithm must match the server's configuration, because the MAC covers both.
 */
export interface TsigKey {
  readonly name: Name;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Uint8Array;
}

/** A message with its TSIG record. The MAC of a reply covers the MAC of its request. */
export interface SignedMessage {
  readonly bytes: Uint8Array;
  readonly mac: Uint8Array;
}

const TYPE = 250;
const CLASS_ANY = 255;
/** Seconds. [8945-10-1] */
const FUDGE = 300;
const errors: Readonly<Record<number, string>> = {
  16: 'BADSIG',
  17: 'BADKEY',
  18: 'BADTIME',
  22: 'BADTRUNC',
};

/**
 * Adds a TSIG record to a message that has none (RFC 8945 §4.3, §5.1). `now` in
 * milliseconds since 1970. [8945-5.1-1]
 *
 * The record is appended to the additional section, and ARCOUNT grows by one:
 *
 *   octets   field
 *   ...      name of the key
 *   2 2 4    TYPE 250, CLASS ANY, TTL 0
 *   2        RDLENGTH
 *   ...      name of the algorithm
 *   6        time signed, seconds since 1970
 *   2        fudge, seconds
 *   2 + n    MAC, with its size
 *   2        original id of the message
 *   2        error
 *   2 + n    other data, with its size; six octets of the server's time for BADTIME
 */
export function signTsig(message: Uint8Array, tsigKey: TsigKey, now: number): SignedMessage {
  const seconds = Math.floor(now / 1000);
  const mac = hmac(
    tsigKey,
    concat(
      message,
      variables(tsigKey, { seconds, fudge: FUDGE, error: 0, other: new Uint8Array() }),
    ),
  );
  const recordData = concat(
    algorithmName(tsigKey).wire,
    u48(seconds),
    encodeUint16(FUDGE),
    encodeUint16(mac.length),
    mac,
    message.subarray(0, 2),
    encodeUint16(0),
    encodeUint16(0),
  );
  const record = concat(
    tsigKey.name.wire,
    encodeUint16(TYPE),
    encodeUint16(CLASS_ANY),
    encodeUint16(0),
    encodeUint16(0),
    encodeUint16(recordData.length),
    recordData,
  );
  const messageBytes = concat(message, record);
  const count = ((messageBytes[10] as number) << 8) + (messageBytes[11] as number) + 1;
  messageBytes.set(encodeUint16(count), 10);
  return { bytes: messageBytes, mac };
}

/**
 * Verifies the TSIG of a reply (RFC 8945 §5.3); its MAC covers that of the request. Fails
 * with `dns-update-unsigned` if the TSIG is missing, wrong or truncated, and with
 * `dns-update-key` or `dns-update-time` if the server rejected key or time of the
 * request. [8945-5.3-1]
 */
export function verifyTsig(
  reply: Uint8Array,
  tsigKey: TsigKey,
  requestMac: Uint8Array,
  now: number,
): Result<undefined> {
  try {
    return verify(reply, tsigKey, requestMac, now);
  } catch (error) {
    if (error instanceof MalformedDns)
      return fail(updateFailures.make('dns-update-unsigned', error.message));
    throw error;
  }
}

/**
 * Verifies the MAC before the error and the time: both are authentic only if the MAC
 * matches. Throws {@link MalformedDns} for a malformed record.
 */
function verify(
  reply: Uint8Array,
  tsigKey: TsigKey,
  requestMac: Uint8Array,
  now: number,
): Result<undefined> {
  const found = lastRecord(reply);
  if (!found) return fail(updateFailures.make('dns-update-unsigned', 'no TSIG'));
  const { at: offset, name, reader: wireReader } = found;
  const algorithm = wireReader.name();
  const seconds = wireReader.uint16() * 2 ** 32 + wireReader.uint32();
  const fudge = wireReader.uint16();
  const mac = wireReader.takeBytes(wireReader.uint16());
  const originalId = wireReader.takeBytes(2);
  const error = wireReader.uint16();
  const other = wireReader.takeBytes(wireReader.uint16());
  // RFC 8945 §5.4: an unsigned error is only a hint, and the rest of the message is not
  // trusted. [8945-5.4-1]
  if (mac.length === 0)
    return fail(updateFailures.make('dns-update-key', errors[error] ?? `error ${error}`));
  if (!name.equals(tsigKey.name) || !algorithm.equals(algorithmName(tsigKey)))
    return fail(updateFailures.make('dns-update-unsigned', 'another key or algorithm'));
  // The MAC covers the message as it was before signing: original id, no TSIG record.
  const head = concat(originalId, reply.subarray(2, offset));
  const count = ((head[10] as number) << 8) + (head[11] as number) - 1;
  head.set(encodeUint16(count), 10);
  const expected = hmac(
    tsigKey,
    concat(
      encodeUint16(requestMac.length),
      requestMac,
      head,
      variables(tsigKey, { seconds, fudge, error, other }),
    ),
  );
  // Compares in constant time, so that an attacker cannot forge a reply octet by octet.
  // Truncated MACs are refused: RFC 8945 §5.2.4 leaves the minimum length to local
  // policy.
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected))
    return fail(
      updateFailures.make(
        'dns-update-unsigned',
        mac.length < expected.length ? 'a shortened MAC' : 'the MAC does not match',
      ),
    );
  if (error === 18) {
    const theirs = new WireReader(other);
    const serverTime = other.length === 6 ? theirs.uint16() * 2 ** 32 + theirs.uint32() : seconds;
    return fail(
      updateFailures.make(
        'dns-update-time',
        `the server’s clock says ${formatTime(serverTime * 1000)}`,
      ),
    );
  }
  if (error !== 0)
    return fail(updateFailures.make('dns-update-key', errors[error] ?? `error ${error}`));
  if (Math.abs(now / 1000 - seconds) > fudge)
    return fail(
      updateFailures.make('dns-update-time', `the reply is dated ${formatTime(seconds * 1000)}`),
    );
  return ok(undefined);
}

/** Returns the TSIG record, which is the last record of a signed message. [8945-5.1-2] */
function lastRecord(
  messageBytes: Uint8Array,
): { readonly at: number; readonly name: Name; readonly reader: WireReader } | undefined {
  const wireReader = new WireReader(messageBytes, 4);
  const counts = [
    wireReader.uint16(),
    wireReader.uint16(),
    wireReader.uint16(),
    wireReader.uint16(),
  ] as const;
  for (let count = 0; count < counts[0]; count++) {
    wireReader.name();
    wireReader.takeBytes(4);
  }
  let last: ReturnType<typeof lastRecord>;
  for (let count = counts[1] + counts[2] + counts[3]; count > 0; count--) {
    const offset = wireReader.position;
    const name = wireReader.name();
    const recordType = wireReader.uint16();
    const rrClass = wireReader.uint16();
    const ttlSeconds = wireReader.uint32();
    const length = wireReader.uint16();
    last =
      count === 1 &&
      counts[3] > 0 &&
      recordType === TYPE &&
      rrClass === CLASS_ANY &&
      ttlSeconds === 0
        ? { at: offset, name, reader: wireReader.part(wireReader.position + length) }
        : undefined;
    wireReader.takeBytes(length);
  }
  if (wireReader.left === 0) return last;
  return undefined;
}

/** The signed fields of a TSIG record besides its key (RFC 8945 §4.3.3). */
interface TsigVariables {
  readonly seconds: number;
  readonly fudge: number;
  readonly error: number;
  readonly other: Uint8Array;
}

/**
 * Returns the TSIG variables (RFC 8945 §4.3.3): the part of the record that the MAC
 * covers.
 *
 *   octets   field
 *   ...      key name in canonical form
 *   2 4      CLASS ANY, TTL 0
 *   ...      algorithm name in canonical form
 *   6 2      time signed, fudge
 *   2        error
 *   2 + n    other data, with its length
 */
function variables(tsigKey: TsigKey, { seconds, fudge, error, other }: TsigVariables): Uint8Array {
  const lower = (domainName: Name): Uint8Array => Name.of(domainName.toString().toLowerCase()).wire;
  return concat(
    ...[
      lower(tsigKey.name),
      encodeUint16(CLASS_ANY),
      encodeUint16(0),
      encodeUint16(0),
      algorithmName(tsigKey).wire,
      u48(seconds),
      encodeUint16(fudge),
    ],
    ...[encodeUint16(error), encodeUint16(other.length), other],
  );
}

/** Returns the algorithm as the domain name in the record. */
function algorithmName({ algorithm }: TsigKey): Name {
  return Name.of(algorithm);
}

/** Returns the MAC in full length. The name of the digest follows `hmac-`. */
function hmac({ algorithm, secret }: TsigKey, messageBytes: Uint8Array): Uint8Array {
  return createHmac(algorithm.slice(5), secret).update(messageBytes).digest();
}

function encodeUint16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 255, value & 255);
}

/** Returns six octets, most significant first. */
function u48(value: number): Uint8Array {
  const messageBytes = Buffer.alloc(6);
  messageBytes.writeUIntBE(value, 0, 6);
  return messageBytes;
}
