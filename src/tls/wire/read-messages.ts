import { ByteReader, Malformed } from './byte-reader.js';
import { Extension, ProtocolVersion } from './client-hello.js';
import { bitLength, type ServerHello, type ServerKeyExchange } from './server-flight.js';
import { suites } from './suite.js';

const MAX_CERTIFICATES = 32;

/** SHA-256 of "HelloRetryRequest" (RFC 9846 §4.2.3). */
const retryRandom = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

/** Reads the body of a server_hello message. */
export function readServerHello(body: Uint8Array): ServerHello {
  const r = new ByteReader(body);
  const legacy = r.uint(2);
  const random = Buffer.from(r.take(32)).toString('hex');
  r.vector(1);
  const suite = r.uint(2);
  const compression = r.uint(1);
  const extensions = readExtensions(r);
  const versions = extensions.get(Extension.supportedVersions);
  const version = versions?.length === 2 ? new ByteReader(versions).uint(2) : legacy;
  const share = extensions.get(Extension.keyShare);
  return {
    version,
    suite,
    compression,
    retry: random === retryRandom,
    ...(share && share.length >= 2 ? { group: new ByteReader(share).uint(2) } : {}),
    extensions: [...extensions.keys()],
    extendedMasterSecret: extensions.has(Extension.extendedMasterSecret),
    encryptThenMac: extensions.has(Extension.encryptThenMac),
    secureRenegotiation: extensions.has(Extension.renegotiationInfo),
    sessionTicket: extensions.has(Extension.sessionTicket),
    ...(random.endsWith('444f574e47524401') ? { downgradeSentinel: 'TLSv1.2' as const } : {}),
    ...(random.endsWith('444f574e47524400')
      ? { downgradeSentinel: 'TLSv1.1 or lower' as const }
      : {}),
  };
}

/** Reads the body of a certificate message of TLS 1.2 or earlier (RFC 5246 §7.4.2). */
export function readCertificates(body: Uint8Array): Uint8Array[] {
  const list = new ByteReader(body).nested(3);
  const found: Uint8Array[] = [];
  while (list.left > 0) {
    if (found.length === MAX_CERTIFICATES) throw new Malformed('too many certificates');
    found.push(Uint8Array.from(list.vector(3)));
  }
  return found;
}

/**
 * Reads the body of a server_key_exchange message; its form depends on the suite and, for
 * the signature, on the version (RFC 5246 §7.4.3, RFC 8422 §5.4).
 */
export function readServerKeyExchange(
  body: Uint8Array,
  suiteId: number,
  version: number,
): ServerKeyExchange {
  const suite = suites.get(suiteId);
  const r = new ByteReader(body);
  if (suite?.authentication === 'PSK' || suite?.keyExchange === 'SRP') return { kind: 'other' };
  const scheme = (): { scheme?: number } =>
    version >= ProtocolVersion['TLSv1.2'] && suite?.authentication !== 'none' && r.left >= 2
      ? { scheme: r.uint(2) }
      : {};
  switch (suite?.keyExchange) {
    case 'ECDHE': {
      if (r.uint(1) !== 3) return { kind: 'ecdhe', group: 'explicit' };
      const group = r.uint(2);
      r.vector(1);
      return { kind: 'ecdhe', group, ...scheme() };
    }
    case 'DHE': {
      const prime = Uint8Array.from(r.vector(2));
      const generator = Uint8Array.from(r.vector(2));
      r.vector(2);
      return { kind: 'dhe', prime, generator, ...scheme() };
    }
    case 'RSA':
      return suite.export
        ? { kind: 'rsa-export', modulusBits: bitLength(r.vector(2)) }
        : { kind: 'other' };
    default:
      return { kind: 'other' };
  }
}

function readExtensions(r: ByteReader): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  if (r.left === 0) return found;
  const list = r.nested(2);
  while (list.left > 0) {
    const type = list.uint(2);
    const content = list.vector(2);
    if (!found.has(type)) found.set(type, content);
  }
  return found;
}
