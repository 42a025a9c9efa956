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
 * Returns the server's first flight to a hello: octets to send, and whether the server
 * then closes the connection.
 */
export function answerHello(
  responderConfig: ResponderConfig,
  receivedHello: ReceivedHello,
): { readonly bytes: Uint8Array; readonly refused: boolean } {
  const choice = choose(responderConfig, receivedHello);
  if ('alert' in choice) {
    const bytes =
      responderConfig.refusal === 'close'
        ? new Uint8Array(0)
        : Uint8Array.from([21, 3, 1, 0, 2, 2, choice.alert]);
    return { bytes, refused: true };
  }
  const recordVersion = Math.min(choice.version, ProtocolVersion['TLSv1.2']);
  const tls13 = choice.version === ProtocolVersion['TLSv1.3'];
  const random = tls13 ? retryRandom : randomBytes(32);
  const messages = [message(2, serverHello(choice, receivedHello, random, responderConfig))];
  if (!tls13) {
    if (choice.certificate)
      messages.push(
        message(
          11,
          vector(
            3,
            choice.certificate.chain.flatMap((derBytes) => vector(3, [...derBytes])),
          ),
        ),
      );
    const exchange = serverKeyExchange(choice, receivedHello, random, responderConfig);
    if (exchange) messages.push(message(12, exchange));
    messages.push(message(14, []));
  }
  return { bytes: records(recordVersion, messages.flat()), refused: false };
}

function serverHello(
  { version, suite, group }: Choice,
  receivedHello: ReceivedHello,
  random: Uint8Array,
  responderConfig: ResponderConfig,
): number[] {
  const tls13 = version === ProtocolVersion['TLSv1.3'];
  const extensions: number[] = [];
  const answer = (messageType: number, content: readonly number[]): void => {
    if (receivedHello.extensions.includes(messageType))
      extensions.push(...encodeUnsigned(messageType, 2), ...vector(2, content));
  };
  if (tls13) {
    answer(Extension.supportedVersions, encodeUnsigned(version, 2));
    answer(Extension.keyShare, encodeUnsigned(group as number, 2));
  } else {
    if (responderConfig.secureRenegotiation !== false) answer(Extension.renegotiationInfo, [0]);
    if (responderConfig.extendedMasterSecret !== false && version > ProtocolVersion.SSLv3)
      answer(Extension.extendedMasterSecret, []);
  }
  const compression =
    responderConfig.compression && !tls13 && receivedHello.compression.includes(1) ? 1 : 0;
  return [
    ...encodeUnsigned(Math.min(version, ProtocolVersion['TLSv1.2']), 2),
    ...random,
    ...vector(1, tls13 ? [...receivedHello.sessionId] : []),
    ...encodeUnsigned(suite.codePoint, 2),
    compression,
    ...(extensions.length > 0 ? vector(2, extensions) : []),
  ];
}

function message(messageType: number, body: readonly number[]): number[] {
  return [messageType, ...vector(3, body)];
}

function records(version: number, content: readonly number[]): Uint8Array {
  const octets: number[] = [];
  for (let offset = 0; offset < content.length; offset += 16384)
    octets.push(
      22,
      ...encodeUnsigned(version, 2),
      ...vector(2, content.slice(offset, offset + 16384)),
    );
  return Uint8Array.from(octets);
}
