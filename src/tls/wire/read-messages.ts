import { ByteReader, MalformedTls } from './byte-reader.js';
import { Extension, ProtocolVersion } from './client-hello.js';
import { bitLength, type ServerHello, type ServerKeyExchange } from './server-flight.js';
import { suites } from './suite.js';

/** Maximum certificates of one message. Genuine chains have fewer than ten. */
const MAX_CERTIFICATES = 32;

/** SHA-256 of "HelloRetryRequest" (RFC 9846 §4.2.3). */
const retryRandom = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

/**
 * Reads the body of a server_hello message.
 *
 *   octets   field
 *   2        legacy_version: the version up to TLS 1.2
 *   32       random; of HelloRetryRequest a fixed value; its last eight octets may be a
 *            downgrade sentinel
 *   1 + n    session id
 *   2        cipher suite
 *   1        compression method
 *   2 + n    extensions; may be absent before TLS 1.3
 *
 * Throws {@link MalformedTls}.
 */
export function readServerHello(bodyBytes: Uint8Array): ServerHello {
  const byteReader = new ByteReader(bodyBytes);
  const legacy = byteReader.unsigned(2);
  const random = Buffer.from(byteReader.takeBytes(32)).toString('hex');
  byteReader.encodeVector(1);
  const suite = byteReader.unsigned(2);
  const compression = byteReader.unsigned(1);
  const extensions = readExtensions(byteReader);
  const versions = extensions.get(Extension.supportedVersions);
  const version = versions?.length === 2 ? new ByteReader(versions).unsigned(2) : legacy;
  const share = extensions.get(Extension.keyShare);
  return {
    version,
    suite,
    compression,
    retry: random === retryRandom,
    group: share && share.length >= 2 ? new ByteReader(share).unsigned(2) : undefined,
    extensions: [...extensions.keys()],
    extendedMasterSecret: extensions.has(Extension.extendedMasterSecret),
    encryptThenMac: extensions.has(Extension.encryptThenMac),
    secureRenegotiation: extensions.has(Extension.renegotiationInfo),
    sessionTicket: extensions.has(Extension.sessionTicket),
    downgradeSentinel: downgradeSentinelOf(random),
  };
}

/**
 * Reads the body of a certificate message of TLS 1.2 or earlier (RFC 5246 §7.4.2).
 *
 *   octets   field
 *   3        length of the list
 *   3 + n    each certificate, DER, the server's own first
 *
 * Throws {@link MalformedTls} for more than 32 certificates.
 */
export function readCertificateMessage(bodyBytes: Uint8Array): Uint8Array[] {
  const list = new ByteReader(bodyBytes).nested(3);
  const found: Uint8Array[] = [];
  while (list.left > 0) {
    if (found.length === MAX_CERTIFICATES) throw new MalformedTls('too many certificates');
    found.push(Uint8Array.from(list.encodeVector(3)));
  }
  return found;
}

/**
 * Reads the body of a server_key_exchange message; its form depends on the suite and, for
 * the signature, on the version (RFC 5246 §7.4.3, RFC 8422 §5.4).
 *
 *   ECDHE        curve type (1): 3 named_curve, group (2), public key (1)
 *   DHE          prime (2), generator (2), public key (2)
 *   RSA export   modulus (2), exponent (2)
 *   then         signature scheme (2, TLS 1.2 only), signature (2); absent for anonymous suites
 *
 * A number in brackets is the size of a field, or of its length prefix, in octets. This
 * function does not verify the signature: a completed handshake in node:tls does.
 */
export function readServerKeyExchange(
  bodyBytes: Uint8Array,
  suiteId: number,
  version: number,
): ServerKeyExchange {
  const cipherSuite = suites.get(suiteId);
  const byteReader = new ByteReader(bodyBytes);
  if (cipherSuite?.authentication === 'PSK' || cipherSuite?.keyExchange === 'SRP')
    return { kind: 'other' };
  const scheme = (): { scheme?: number } => {
    if (
      version >= ProtocolVersion['TLSv1.2'] &&
      cipherSuite?.authentication !== 'none' &&
      byteReader.left >= 2
    )
      return { scheme: byteReader.unsigned(2) };
    return {};
  };
  switch (cipherSuite?.keyExchange) {
    case 'ECDHE': {
      if (byteReader.unsigned(1) !== 3) return { kind: 'ecdhe', group: 'explicit' };
      const group = byteReader.unsigned(2);
      byteReader.encodeVector(1);
      return { kind: 'ecdhe', group, ...scheme() };
    }
    case 'DHE': {
      const prime = Uint8Array.from(byteReader.encodeVector(2));
      const generator = Uint8Array.from(byteReader.encodeVector(2));
      byteReader.encodeVector(2);
      return { kind: 'dhe', prime, generator, ...scheme() };
    }
    case 'RSA':
      if (cipherSuite.export)
        return { kind: 'rsa-export', modulusBits: bitLength(byteReader.encodeVector(2)) };
      return { kind: 'other' };
    default:
      return { kind: 'other' };
  }
}

/**
 * Reads extensions: a list (2) of type (2) and content (2). If a type is repeated, its
 * first extension is used, as in most clients.
 */
function readExtensions(byteReader: ByteReader): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  if (byteReader.left === 0) return found;
  const list = byteReader.nested(2);
  while (list.left > 0) {
    const messageType = list.unsigned(2);
    const content = list.encodeVector(2);
    if (!found.has(messageType)) found.set(messageType, content);
  }
  return found;
}

function downgradeSentinelOf(random: string): ServerHello['downgradeSentinel'] {
  if (random.endsWith('444f574e47524401')) return 'TLSv1.2';
  if (random.endsWith('444f574e47524400')) return 'TLSv1.1 or lower';
  return undefined;
}
