import { createHash, createHmac, createPublicKey, sign, type KeyObject } from 'node:crypto';

/** Whoever signs requests: an account by its URL, or a key that has no account yet. */
export interface AcmeSigner {
  /** P-256. */
  readonly key: KeyObject;
  readonly kid?: string;
}

/** The key that ties an account to one that the CA knows already (RFC 8555 §7.3.4). */
export interface ExternalAccount {
  readonly keyId: string;
  /** base64url, as CAs give it out. */
  readonly macKey: string;
}

/**
 * A request as RFC 8555 §6.2 wants it: flattened JWS, ES256. `payload` undefined is
 * POST-as-GET; the URL is the string the CA gave. [8555-6.2-1, 8555-6.3-1, 8555-6.4-1]
 */
export function signRequest(
  { key, kid }: AcmeSigner,
  url: string,
  nonce: string,
  payload: unknown,
): string {
  const header = {
    alg: 'ES256',
    nonce,
    url,
    ...(kid === undefined ? { jwk: publicJwk(key) } : { kid }),
  };
  return flattened(header, payload, (input) =>
    sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }),
  );
}

/** The `externalAccountBinding` of newAccount. [8555-7.3.4-1] */
export function bindExternally(
  { keyId, macKey }: ExternalAccount,
  key: KeyObject,
  url: string,
): unknown {
  const mac = Buffer.from(macKey, 'base64url');
  return JSON.parse(
    flattened({ alg: 'HS256', kid: keyId, url }, publicJwk(key), (input) =>
      createHmac('sha256', mac).update(input).digest(),
    ),
  ) as unknown;
}

/**
 * The payload that asks for another key of an account: signed by that key, over the
 * account and the key it has now. [8555-7.3.5-1]
 */
export function askForKey(
  next: KeyObject,
  { key, kid }: Required<AcmeSigner>,
  url: string,
): unknown {
  const header = { alg: 'ES256', jwk: publicJwk(next), url };
  const payload = { account: kid, oldKey: publicJwk(key) };
  return JSON.parse(
    flattened(header, payload, (input) =>
      sign('sha256', input, { key: next, dsaEncoding: 'ieee-p1363' }),
    ),
  ) as unknown;
}

/** RFC 7638, base64url. */
export function thumbprint(key: KeyObject): string {
  return createHash('sha256')
    .update(JSON.stringify(publicJwk(key)))
    .digest('base64url');
}

/** What answers a challenge: `token.thumbprint` (RFC 8555 §8.1, RFC 7638). */
export function keyAuthorization(token: string, key: KeyObject): string {
  return `${token}.${thumbprint(key)}`;
}

/** Members in the order RFC 7638 §3.2 hashes them. */
function publicJwk(key: KeyObject): { crv: string; kty: string; x: string; y: string } {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { crv, kty, x, y };
}

function flattened(header: object, payload: unknown, signed: (input: Buffer) => Buffer): string {
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const [protectedHeader, body] = [encode(header), payload === undefined ? '' : encode(payload)];
  const signature = signed(Buffer.from(`${protectedHeader}.${body}`)).toString('base64url');
  return JSON.stringify({ protected: protectedHeader, payload: body, signature });
}
