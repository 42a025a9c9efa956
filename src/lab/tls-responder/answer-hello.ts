import { randomBytes } from 'node:crypto';
import {
  Extension,
  ProtocolVersion,
  encodeUnsigned,
  vector,
  type ReceivedHello,
} from '../../tls/index.js';
import { choose, type Choice } from './choose.js';
import { serverKeyExchange } from './key-exchange.js';
import type { ResponderConfig } from './responder-config.js';

const retryRandom = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
);

/**
 * The server's first flight to a hello: octets to send, and whether the server then hangs
 * up.
 */
export function answerHello(
  config: ResponderConfig,
  hello: ReceivedHello,
): { readonly bytes: Uint8Array; readonly refused: boolean } {
  const choice = choose(config, hello);
  if ('alert' in choice) {
    const bytes =
      config.refusal === 'close'
        ? new Uint8Array(0)
        : Uint8Array.from([21, 3, 1, 0, 2, 2, choice.alert]);
    return { bytes, refused: true };
  }
  const recordVersion = Math.min(choice.version, ProtocolVersion['TLSv1.2']);
  const tls13 = choice.version === ProtocolVersion['TLSv1.3'];
  const random = tls13 ? retryRandom : randomBytes(32);
  const messages = [message(2, serverHello(choice, hello, random, config))];
  if (!tls13) {
    if (choice.certificate)
      messages.push(
        message(
          11,
          vector(
            3,
            choice.certificate.chain.flatMap((der) => vector(3, [...der])),
          ),
        ),
      );
    const exchange = serverKeyExchange(choice, hello, random, config);
    if (exchange) messages.push(message(12, exchange));
    messages.push(message(14, []));
  }
  return { bytes: records(recordVersion, messages.flat()), refused: false };
}

function serverHello(
  { version, suite, group }: Choice,
  hello: ReceivedHello,
  random: Uint8Array,
  config: ResponderConfig,
): number[] {
  const tls13 = version === ProtocolVersion['TLSv1.3'];
  const extensions: number[] = [];
  const answer = (type: number, content: readonly number[]): void => {
    if (hello.extensions.includes(type))
      extensions.push(...encodeUnsigned(type, 2), ...vector(2, content));
  };
  if (tls13) {
    answer(Extension.supportedVersions, encodeUnsigned(version, 2));
    answer(Extension.keyShare, encodeUnsigned(group as number, 2));
  } else {
    if (config.secureRenegotiation !== false) answer(Extension.renegotiationInfo, [0]);
    if (config.extendedMasterSecret !== false && version > ProtocolVersion.SSLv3)
      answer(Extension.extendedMasterSecret, []);
  }
  const compression = config.compression && !tls13 && hello.compression.includes(1) ? 1 : 0;
  return [
    ...encodeUnsigned(Math.min(version, ProtocolVersion['TLSv1.2']), 2),
    ...random,
    ...vector(1, tls13 ? [...hello.sessionId] : []),
    ...encodeUnsigned(suite.codePoint, 2),
    compression,
    ...(extensions.length > 0 ? vector(2, extensions) : []),
  ];
}

function message(type: number, body: readonly number[]): number[] {
  return [type, ...vector(3, body)];
}

function records(version: number, content: readonly number[]): Uint8Array {
  const octets: number[] = [];
  for (let at = 0; at < content.length; at += 16384)
    octets.push(22, ...encodeUnsigned(version, 2), ...vector(2, content.slice(at, at + 16384)));
  return Uint8Array.from(octets);
}
