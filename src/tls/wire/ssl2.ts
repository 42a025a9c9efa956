import { ByteReader, MalformedTls, encodeUnsigned } from './byte-reader.js';

/** SSLv2 cipher kinds (the SSL 2.0 protocol specification, 1995): three octets each. */
const ssl2CipherTable: readonly (readonly [id: number, name: string])[] = [
  [0x010080, 'SSL_CK_RC4_128_WITH_MD5'],
  [0x020080, 'SSL_CK_RC4_128_EXPORT40_WITH_MD5'],
  [0x030080, 'SSL_CK_RC2_128_CBC_WITH_MD5'],
  [0x040080, 'SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5'],
  [0x050080, 'SSL_CK_IDEA_128_CBC_WITH_MD5'],
  [0x060040, 'SSL_CK_DES_64_CBC_WITH_MD5'],
  [0x0700c0, 'SSL_CK_DES_192_EDE3_CBC_WITH_MD5'],
];

/**
 * Builds a CLIENT-HELLO that offers all cipher kinds. `challenge`: 16 octets.
 *
 *   octets   field
 *   2        record length, high bit set: no padding
 *   1        message type: 1
 *   2        version: 0.2
 *   2        length of the cipher kinds
 *   2        length of the session id: 0
 *   2        length of the challenge
 *   ...      cipher kinds, three octets each
 *   ...      challenge
 *
 * RFC 6176 forbids SSLv2. A server that answers is vulnerable to DROWN: an attacker can
 * decrypt recorded TLS sessions with RSA key exchange that use the same key
 * (CVE-2016-0800).
 */
export function buildSsl2ClientHello(challenge: Uint8Array): Uint8Array {
  const ciphers = ssl2CipherTable.flatMap(([cipher]) => encodeUnsigned(cipher, 3));
  const body = [
    1,
    0,
    2,
    ...encodeUnsigned(ciphers.length, 2),
    0,
    0,
    ...encodeUnsigned(challenge.length, 2),
    ...ciphers,
    ...challenge,
  ];
  return Uint8Array.from([0x80 | (body.length >> 8), body.length & 0xff, ...body]);
}

/**
 * The answer to an SSLv2 hello: the server's cipher kinds, or that it does not support
 * SSLv2. `more`: the answer is incomplete.
 */
export type Ssl2Answer =
  | { readonly state: 'more' }
  | { readonly state: 'refused' }
  | {
      readonly state: 'accepted';
      readonly ciphers: readonly number[];
      readonly certificate: Uint8Array;
    };

/**
 * Reads a SERVER-HELLO from the start of a server's bytes.
 *
 *   octets   field
 *   2        record length, high bit set
 *   1        message type: 4
 *   1        session id hit
 *   1        certificate type: 1 X.509
 *   2        version: 0.2
 *   2        length of the certificate
 *   2        length of the cipher kinds
 *   2        length of the connection id
 *   ...      certificate, cipher kinds, connection id
 */
export function readSsl2ServerHello(messageBytes: Uint8Array): Ssl2Answer {
  if (messageBytes.length < 3) return { state: 'more' };
  const [first, second, messageType] = messageBytes as unknown as [number, number, number];
  // A TLS alert begins with 0x15 0x03. An SSLv2 record with two length octets has the
  // high bit set.
  if ((first & 0x80) === 0 || messageType !== 4) return { state: 'refused' };
  const length = ((first & 0x7f) << 8) | second;
  if (messageBytes.length < 2 + length) return { state: 'more' };
  try {
    const byteReader = new ByteReader(messageBytes.subarray(3, 2 + length));
    byteReader.takeBytes(2);
    const version = byteReader.unsigned(2);
    const sizes = [byteReader.unsigned(2), byteReader.unsigned(2), byteReader.unsigned(2)] as const;
    if (version !== 2) return { state: 'refused' };
    const certificate = Uint8Array.from(byteReader.takeBytes(sizes[0]));
    const list = new ByteReader(byteReader.takeBytes(sizes[1]));
    const ciphers: number[] = [];
    while (list.left >= 3) ciphers.push(list.unsigned(3));
    return { state: 'accepted', ciphers, certificate };
  } catch (error) {
    if (error instanceof MalformedTls) return { state: 'refused' };
    throw error;
  }
}
