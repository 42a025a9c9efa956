import { createHash, createHmac, createPublicKey, verify, type KeyObject } from 'node:crypto';

/** A request that a CA refuses (RFC 8555 §6.7). */
export class AcmeProblem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export interface Signed {
  readonly key: KeyObject;
  readonly kid?: string;
  readonly nonce: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Reads and verifies a signed request as strictly as RFC 8555 §6.2 says. With `secrets`
 * the request is an external account binding (§7.3.4).
 */
export function readSigned(
  text: string,
  url: string,
  accountOf: ((kid: string) => KeyObject | undefined) | undefined,
  secrets?: Readonly<Record<string, string>>,
): Signed {
  const {
    protected: head = '',
    payload = '',
    signature = '',
  } = (jsonOf(text) ?? {}) as Record<string, string | undefined>;
  const header = (jsonOf(fromBase64url(head)) ?? {}) as {
    alg?: string;
    nonce?: string;
    url?: string;
    kid?: string;
    jwk?: object;
  };
  if (header.url !== url) throw new AcmeProblem(401, 'unauthorized', 'signed for another URL');
  const signingInput = Buffer.from(`${head}.${payload}`);
  const given = Buffer.from(signature, 'base64url');
  const body = (jsonOf(fromBase64url(payload)) ?? {}) as Record<string, unknown>;
  if (secrets) {
    const secret = secrets[header.kid ?? ''];
    const mac = createHmac('sha256', Buffer.from(secret ?? '', 'base64url'))
      .update(signingInput)
      .digest();
    if (secret === undefined || !mac.equals(given))
      throw new AcmeProblem(403, 'externalAccountRequired', 'the binding is not valid');
    return {
      key: createPublicKey({ key: body, format: 'jwk' } as never),
      nonce: '',
      payload: body,
    };
  }
  const key = header.kid === undefined ? keyOf(header.jwk) : accountOf?.(header.kid);
  if (!key) throw new AcmeProblem(400, 'accountDoesNotExist', 'unknown');
  if (
    header.alg !== 'ES256' ||
    !verify('sha256', signingInput, { key, dsaEncoding: 'ieee-p1363' }, given)
  )
    throw new AcmeProblem(403, 'unauthorized', 'the signature is not valid');
  return {
    key,
    nonce: header.nonce ?? '',
    payload: body,
    kid: header.kid,
  };
}

/** Returns the thumbprint of a key (RFC 7638). */
export function thumbprint(keyObject: KeyObject): string {
  const { crv, kty, x: value, y } = keyObject.export({ format: 'jwk' });
  return createHash('sha256')
    .update(JSON.stringify({ crv, kty, x: value, y }))
    .digest('base64url');
}

function keyOf(jsonKey: object | undefined): KeyObject | undefined {
  return jsonKey && createPublicKey({ key: jsonKey, format: 'jwk' } as never);
}

function fromBase64url(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
