import { createHash, createHmac, createPublicKey, sign, type KeyObject } from 'node:crypto';

/** The signer of requests: the URL and key of an account, or a key without an account. */
export interface AcmeSigner {
  /** P-256 private key. */
  readonly key: KeyObject;
  /** URL of the account. */
  readonly kid?: string;
}

/** The key that binds a new account to a customer of the CA (RFC 8555 §7.3.4). */
export interface ExternalAccount {
  readonly keyId: string;
  /** HMAC key in base64url, as CAs issue it. */
  readonly macKey: string;
}

/**
 * Signs a request: flattened JWS with ES256 (RFC 8555 §6.2). An undefined `payload`
 * creates a POST-as-GET request. `url` must be exactly the text that the CA sent.
 * [8555-6.2-1, 8555-6.3-1, 8555-6.4-1]
 */
export function signRequest(
  { key, kid }: AcmeSigner,
  url: string,
  nonce: string,
  payload: unknown,
): string {
  // RFC 8555 §6.2 requires exactly one of `jwk` and `kid`; JSON omits the undefined
  // member.
  const jwk = kid === undefined ? publicJwk(key) : undefined;
  const header = { alg: 'ES256', nonce, url, jwk, kid };
  return flattened(header, payload, (input) =>
    sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }),
  );
}

/**
 * Returns the `externalAccountBinding` of a newAccount request: the public account key,
 * signed with the key of the customer. [8555-7.3.4-1]
 */
export function externalAccountBinding(
  { keyId, macKey }: ExternalAccount,
  keyObject: KeyObject,
  url: string,
): unknown {
  const mac = Buffer.from(macKey, 'base64url');
  return JSON.parse(
    flattened({ alg: 'HS256', kid: keyId, url }, publicJwk(keyObject), (input) =>
      createHmac('sha256', mac).update(input).digest(),
    ),
  ) as unknown;
}

/**
 * Returns the payload of a keyChange request: the account URL and the current account
 * key, signed with the next key. [8555-7.3.5-1]
 */
export function keyChangeRequest(
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

/** Returns the thumbprint of a key (RFC 7638), base64url. */
export function jwkThumbprint(keyObject: KeyObject): string {
  return createHash('sha256')
    .update(JSON.stringify(publicJwk(keyObject)))
    .digest('base64url');
}

/** Returns the key authorization of a challenge: `token.thumbprint` (RFC 8555 §8.1). */
export function keyAuthorization(token: string, keyObject: KeyObject): string {
  return `${token}.${jwkThumbprint(keyObject)}`;
}

/** Returns the public key as a JWK, with its members in the order of RFC 7638 §3.2. */
function publicJwk(keyObject: KeyObject): { crv: string; kty: string; x: string; y: string } {
  const {
    crv = '',
    kty = '',
    x: value = '',
    y = '',
  } = createPublicKey(keyObject).export({ format: 'jwk' });
  return { crv, kty, x: value, y };
}

function flattened(header: object, payload: unknown, signed: (input: Buffer) => Buffer): string {
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const [protectedHeader, bodyText] = [
    encode(header),
    payload === undefined ? '' : encode(payload),
  ];
  const signature = signed(Buffer.from(`${protectedHeader}.${bodyText}`)).toString('base64url');
  return JSON.stringify({ protected: protectedHeader, payload: bodyText, signature });
}
