import { ByteReader, MalformedTls } from './byte-reader.js';
import { Extension, ProtocolVersion } from './client-hello.js';

/** A ClientHello as a server sees it. */
export interface ReceivedHello {
  /** Highest version requested. */
  readonly maxVersion: number;
  /** Versions in supported_versions; empty without the extension. */
  readonly versions: readonly number[];
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suites: readonly number[];
  /** Compression methods; TLS 1.3 requires exactly the null method. */
  readonly compression: readonly number[];
  /** Groups in supported_groups; empty without the extension. */
  readonly groups: readonly number[];
  /** Schemes in signature_algorithms; empty without the extension. */
  readonly signatureSchemes: readonly number[];
  /** Host name of SNI, one character per octet; absent without the extension. */
  readonly serverName?: string;
  /** Groups for which the hello contains a key share. */
  readonly keyShares: readonly number[];
  /** Extension types in the order received. */
  readonly extensions: readonly number[];
  /**
   * Protocols of ALPN (RFC 7301), one character per octet; empty without the extension.
   */
  readonly alpn: readonly string[];
}

/**
 * Reads a ClientHello from the start of a stream. Returns `more` if the hello is
 * incomplete, and undefined if the octets are not a ClientHello. Reads at most 64 KiB.
 * The layout is that of `buildClientHello`. The message may span several records.
 */
export function readClientHello(messageBytes: Uint8Array): ReceivedHello | 'more' | undefined {
  if (messageBytes.length > 65536) return undefined;
  // One buffer is filled without concatenation, because a hello may arrive in records of
  // one octet each.
  const whole = new Uint8Array(messageBytes.length);
  let filled = 0;
  for (let offset = 0; ;) {
    if (messageBytes.length < offset + 5) {
      if (messageBytes.length > 0 && messageBytes[0] !== 22) return undefined;
      return 'more';
    }
    if (messageBytes[offset] !== 22 || messageBytes[offset + 1] !== 3) return undefined;
    const length =
      ((messageBytes[offset + 3] as number) << 8) | (messageBytes[offset + 4] as number);
    if (messageBytes.length < offset + 5 + length) return 'more';
    whole.set(messageBytes.subarray(offset + 5, offset + 5 + length), filled);
    filled += length;
    offset += 5 + length;
    const handshake = whole.subarray(0, filled);
    if (handshake.length >= 4) {
      const byteCount =
        ((handshake[1] as number) << 16) |
        ((handshake[2] as number) << 8) |
        (handshake[3] as number);
      if (handshake[0] !== 1) return undefined;
      if (handshake.length >= 4 + byteCount) return parse(handshake.subarray(4, 4 + byteCount));
    }
  }
}

/** Reads the body of the message; undefined when a length does not fit. */
function parse(bodyBytes: Uint8Array): ReceivedHello | undefined {
  try {
    const byteReader = new ByteReader(bodyBytes);
    const legacy = byteReader.unsigned(2);
    const random = Uint8Array.from(byteReader.takeBytes(32));
    const sessionId = Uint8Array.from(byteReader.encodeVector(1));
    const suites = numbers(byteReader.encodeVector(2));
    const compression = [...byteReader.encodeVector(1)];
    const extensions = new Map<number, Uint8Array>();
    if (byteReader.left > 0) {
      const list = byteReader.nested(2);
      while (list.left > 0) extensions.set(list.unsigned(2), list.encodeVector(2));
    }
    const nested = (messageType: number, octets: 1 | 2): readonly number[] => {
      const content = extensions.get(messageType);
      if (content) return numbers(new ByteReader(content).encodeVector(octets));
      return [];
    };
    const versions = nested(Extension.supportedVersions, 1);
    const serverName = nameOf(extensions.get(Extension.serverName));
    return {
      maxVersion:
        versions.length > 0
          ? Math.max(...versions.filter((version) => version <= ProtocolVersion['TLSv1.3']))
          : legacy,
      versions,
      random,
      sessionId,
      suites,
      compression,
      groups: nested(Extension.supportedGroups, 2),
      signatureSchemes: nested(Extension.signatureAlgorithms, 2),
      serverName,
      keyShares: sharesOf(extensions.get(Extension.keyShare)),
      extensions: [...extensions.keys()],
      alpn: protocolsOf(extensions.get(Extension.alpn)),
    };
  } catch (error) {
    if (error instanceof MalformedTls) return undefined;
    throw error;
  }
}

/** Reads a list of two-octet code points. */
function numbers(list: Uint8Array): number[] {
  const byteReader = new ByteReader(list);
  const output: number[] = [];
  while (byteReader.left > 0) output.push(byteReader.unsigned(2));
  return output;
}

/**
 * Reads server_name: a list (2) of entries, each a name type (1) and a name (2). Only the
 * first entry is read: RFC 6066 §3 permits one name of each type, and only one type
 * exists.
 */
function nameOf(content: Uint8Array | undefined): string | undefined {
  if (!content || content.length < 5) return undefined;
  const list = new ByteReader(content).nested(2);
  list.unsigned(1);
  return Buffer.from(list.encodeVector(2)).toString('latin1');
}

/** Reads the groups of key_share: a list (2) of group (2) and key (2). */
function sharesOf(content: Uint8Array | undefined): number[] {
  if (!content) return [];
  const list = new ByteReader(content).nested(2);
  const output: number[] = [];
  while (list.left > 0) {
    output.push(list.unsigned(2));
    list.encodeVector(2);
  }
  return output;
}

/** Reads ALPN: a list (2) of protocol names (1) (RFC 7301 §3.1). */
function protocolsOf(content: Uint8Array | undefined): string[] {
  if (!content) return [];
  const list = new ByteReader(content).nested(2);
  const output: string[] = [];
  while (list.left > 0) output.push(Buffer.from(list.encodeVector(1)).toString('latin1'));
  return output;
}
