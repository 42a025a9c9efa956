import { ByteReader, Malformed } from './byte-reader.js';
import { Extension, ProtocolVersion } from './client-hello.js';

/** A ClientHello as a server sees it. */
export interface ReceivedHello {
  /** Highest version asked for. */
  readonly maxVersion: number;
  /** supported_versions, empty without it. */
  readonly versions: readonly number[];
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suites: readonly number[];
  readonly compression: readonly number[];
  readonly groups: readonly number[];
  readonly signatureSchemes: readonly number[];
  readonly serverName?: string;
  /** Groups for which a key share came along. */
  readonly keyShares: readonly number[];
  readonly extensions: readonly number[];
  /** Protocols of ALPN (RFC 7301), one character an octet; empty without it. */
  readonly alpn: readonly string[];
}

/**
 * Reads a ClientHello from the start of a stream. `more` when it is not whole yet,
 * undefined when it is not one. Bounded by 64 KiB.
 */
export function readClientHello(bytes: Uint8Array): ReceivedHello | 'more' | undefined {
  if (bytes.length > 65536) return undefined;
  // Filled, not joined: a hello may come in records of one octet each.
  const whole = new Uint8Array(bytes.length);
  let filled = 0;
  for (let at = 0; ;) {
    if (bytes.length < at + 5) return bytes.length > 0 && bytes[0] !== 22 ? undefined : 'more';
    if (bytes[at] !== 22 || bytes[at + 1] !== 3) return undefined;
    const length = ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number);
    if (bytes.length < at + 5 + length) return 'more';
    whole.set(bytes.subarray(at + 5, at + 5 + length), filled);
    filled += length;
    at += 5 + length;
    const handshake = whole.subarray(0, filled);
    if (handshake.length >= 4) {
      const size =
        ((handshake[1] as number) << 16) |
        ((handshake[2] as number) << 8) |
        (handshake[3] as number);
      if (handshake[0] !== 1) return undefined;
      if (handshake.length >= 4 + size) return parse(handshake.subarray(4, 4 + size));
    }
  }
}

function parse(body: Uint8Array): ReceivedHello | undefined {
  try {
    const r = new ByteReader(body);
    const legacy = r.uint(2);
    const random = Uint8Array.from(r.take(32));
    const sessionId = Uint8Array.from(r.vector(1));
    const suites = numbers(r.vector(2));
    const compression = [...r.vector(1)];
    const extensions = new Map<number, Uint8Array>();
    if (r.left > 0) {
      const list = r.nested(2);
      while (list.left > 0) extensions.set(list.uint(2), list.vector(2));
    }
    const nested = (type: number, octets: 1 | 2): readonly number[] => {
      const content = extensions.get(type);
      return content ? numbers(new ByteReader(content).vector(octets)) : [];
    };
    const versions = nested(Extension.supportedVersions, 1);
    const serverName = nameOf(extensions.get(Extension.serverName));
    return {
      maxVersion:
        versions.length > 0
          ? Math.max(...versions.filter((v) => v <= ProtocolVersion['TLSv1.3']))
          : legacy,
      versions,
      random,
      sessionId,
      suites,
      compression,
      groups: nested(Extension.supportedGroups, 2),
      signatureSchemes: nested(Extension.signatureAlgorithms, 2),
      ...(serverName === undefined ? {} : { serverName }),
      keyShares: sharesOf(extensions.get(Extension.keyShare)),
      extensions: [...extensions.keys()],
      alpn: protocolsOf(extensions.get(Extension.alpn)),
    };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function numbers(list: Uint8Array): number[] {
  const r = new ByteReader(list);
  const out: number[] = [];
  while (r.left > 0) out.push(r.uint(2));
  return out;
}

function nameOf(content: Uint8Array | undefined): string | undefined {
  if (!content || content.length < 5) return undefined;
  const list = new ByteReader(content).nested(2);
  list.uint(1);
  return Buffer.from(list.vector(2)).toString('latin1');
}

function sharesOf(content: Uint8Array | undefined): number[] {
  if (!content) return [];
  const list = new ByteReader(content).nested(2);
  const out: number[] = [];
  while (list.left > 0) {
    out.push(list.uint(2));
    list.vector(2);
  }
  return out;
}

function protocolsOf(content: Uint8Array | undefined): string[] {
  if (!content) return [];
  const list = new ByteReader(content).nested(2);
  const out: string[] = [];
  while (list.left > 0) out.push(Buffer.from(list.vector(1)).toString('latin1'));
  return out;
}
