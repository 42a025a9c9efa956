import type { Duplex } from 'node:stream';
import { readClientHello, encodeUnsigned } from '../../tls/index.js';
import { answerHello } from './answer-hello.js';
import type { ResponderConfig } from './responder-config.js';

/**
 * Performs the server's side of TLS up to the end of its first flight, on a stream if the
 * client speaks next. The responder supports features that OpenSSL has removed (RC4,
 * export, SSLv3, SSLv2) with real certificates and signatures, but never completes a
 * handshake. Resolves when the client closes the connection.
 */
export async function respond(stream: Duplex, responderConfig: ResponderConfig): Promise<void> {
  let received = new Uint8Array(0);
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    received = Uint8Array.from([...received, ...piece]);
    const answer = answerTo(responderConfig, received);
    if (answer === 'more') continue;
    if (answer.refused) {
      stream.end(answer.bytes);
      return;
    }
    stream.write(answer.bytes);
    stream.resume();
    await new Promise<void>((resolve) =>
      stream.once('close', resolve).once('end', () => stream.end()),
    );
    return;
  }
}

function answerTo(
  responderConfig: ResponderConfig,
  bytes: Uint8Array,
): { readonly bytes: Uint8Array; readonly refused: boolean } | 'more' {
  if (((bytes[0] ?? 0) & 0x80) !== 0)
    return responderConfig.ssl2Ciphers
      ? { bytes: ssl2Hello(responderConfig), refused: false }
      : { bytes: new Uint8Array(0), refused: true };
  const hello = readClientHello(bytes);
  if (hello === 'more') return 'more';
  return hello
    ? answerHello(responderConfig, hello)
    : { bytes: Uint8Array.from([21, 3, 1, 0, 2, 2, 50]), refused: true };
}

function ssl2Hello({ ssl2Ciphers = [], certificates }: ResponderConfig): Uint8Array {
  const certificate = [
    ...(certificates.find(
      (responderCertificate) => responderCertificate.key.asymmetricKeyType === 'rsa',
    )?.chain[0] ?? []),
  ];
  const ciphers = ssl2Ciphers.flatMap((codePoint) => encodeUnsigned(codePoint, 3));
  const body = [
    4,
    0,
    1,
    0,
    2,
    ...encodeUnsigned(certificate.length, 2),
    ...encodeUnsigned(ciphers.length, 2),
    ...encodeUnsigned(16, 2),
    ...certificate,
    ...ciphers,
    ...new Uint8Array(16),
  ];
  return Uint8Array.from([0x80 | (body.length >> 8), body.length & 0xff, ...body]);
}
