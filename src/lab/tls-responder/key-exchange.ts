import {
  createECDH,
  createHash,
  createSign,
  getDiffieHellman,
  privateEncrypt,
  randomBytes,
  constants,
  type KeyObject,
} from 'node:crypto';
import {
  groupName,
  ProtocolVersion,
  encodeUnsigned,
  vector,
  type ReceivedHello,
} from '../../tls/index.js';
import type { Choice } from './choose.js';
import type { ResponderConfig } from './responder-config.js';
import { newKeyPair } from '../../base/index.js';

const nodeCurves: Readonly<Record<string, string>> = {
  secp256r1: 'prime256v1',
  secp256k1: 'secp256k1',
  secp384r1: 'secp384r1',
  secp521r1: 'secp521r1',
  secp224r1: 'secp224r1',
};
const exportKey = newKeyPair({ type: 'rsa', modulusLength: 512 }).publicKey.export({
  format: 'jwk',
});

/**
 * Returns the body of ServerKeyExchange with a real signature; undefined if the suite has
 * none.
 */
export function serverKeyExchange(
  choice: Choice,
  receivedHello: ReceivedHello,
  serverRandom: Uint8Array,
  responderConfig: ResponderConfig,
): number[] | undefined {
  const params = parametersOf(choice, responderConfig);
  if (!params) return undefined;
  const keyObject = choice.certificate?.key;
  if (!keyObject) return params;
  return [
    ...params,
    ...signParameters(
      keyObject,
      Buffer.from([...receivedHello.random, ...serverRandom, ...params]),
      choice.version,
      receivedHello.signatureSchemes,
    ),
  ];
}

function parametersOf(
  { suite, group }: Choice,
  responderConfig: ResponderConfig,
): number[] | undefined {
  switch (suite.keyExchange) {
    case 'ECDHE':
      return [
        3,
        ...encodeUnsigned(group as number, 2),
        ...vector(1, [...publicPoint(group as number)]),
      ];
    case 'DHE': {
      const prime = responderConfig.dhPrime ?? getDiffieHellman('modp14').getPrime();
      return [
        ...vector(2, [...prime]),
        ...vector(2, [2]),
        ...vector(2, [...randomBytes(prime.length - 1)]),
      ];
    }
    case 'RSA': {
      if (!suite.export) return undefined;
      const number = (text: string | undefined): number[] =>
        vector(2, [...Buffer.from(text ?? '', 'base64url')]);
      return [...number(exportKey.n), ...number(exportKey.e)];
    }
    default:
      return undefined;
  }
}

/**
 * Returns a point of the group if Node supports it; otherwise octets of the correct form,
 * because no client of the lab uses them.
 */
function publicPoint(groupNumber: number): Uint8Array {
  const curveName = groupName(groupNumber);
  const curve = nodeCurves[curveName];
  if (curve) {
    const ecdh = createECDH(curve);
    return ecdh.generateKeys();
  }
  if (curveName === 'x25519' || curveName === 'x448')
    return newKeyPair({ type: curveName })
      .publicKey.export({ type: 'spki', format: 'der' })
      .subarray(curveName === 'x25519' ? -32 : -56);
  return Buffer.concat([Buffer.of(4), randomBytes(64)]);
}

/**
 * Returns the `digitally-signed` structure of RFC 5246 §4.7, or of RFC 4346 §4.7 for the
 * older versions.
 */
function signParameters(
  keyObject: KeyObject,
  data: Buffer,
  version: number,
  schemes: readonly number[],
): number[] {
  const rsa = keyObject.asymmetricKeyType === 'rsa';
  if (version >= ProtocolVersion['TLSv1.2']) {
    const wanted = rsa ? [0x0401, 0x0501, 0x0601, 0x0201] : [0x0403, 0x0503, 0x0603, 0x0203];
    const scheme =
      (schemes.length > 0 ? wanted.find((s) => schemes.includes(s)) : undefined) ??
      (rsa ? 0x0201 : 0x0203);
    const hash = { 2: 'sha1', 4: 'sha256', 5: 'sha384', 6: 'sha512' }[scheme >> 8] as string;
    return [
      ...encodeUnsigned(scheme, 2),
      ...vector(2, [...createSign(hash).update(data).sign(keyObject)]),
    ];
  }
  if (!rsa) return vector(2, [...createSign('sha1').update(data).sign(keyObject)]);
  const digest = Buffer.concat([
    createHash('md5').update(data).digest(),
    createHash('sha1').update(data).digest(),
  ]);
  return vector(2, [
    ...privateEncrypt({ key: keyObject, padding: constants.RSA_PKCS1_PADDING }, digest),
  ]);
}
