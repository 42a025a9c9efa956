import type { JSONWebKeySet, JWTPayload } from 'jose';
import { BoundedMap, type Clock } from '../../base/index.js';

/**
 * The sessions that a provider has ended. At least one of `subject` and `providerSession`
 * is present.
 */
export interface EndedSessions {
  /** The account at the provider, if all its sessions end. */
  readonly subject: string | undefined;
  /** The session at the provider, if only this session ends. */
  readonly providerSession: string | undefined;
  /** The unique id of the token. */
  readonly tokenId: string;
}

/** The provider that issues logout tokens, and the client to which they are addressed. */
export interface LogoutTokenOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clock: Clock;
  /** Reads the signing keys of the provider. */
  fetchKeys(): Promise<JSONWebKeySet>;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/**
 * The accepted signature algorithms. All are asymmetric, because an attacker may know the
 * secret of a client.
 */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const MAX_OCTETS = 8192;
/** Maximum age of a token, and maximum difference of two clocks, in seconds. */
const MAX_AGE = 300;
const TOLERANCE = 60;
/** Minimum milliseconds between two fetches of the keys. */
const FETCH_INTERVAL = 60_000;
const MAX_TOKENS = 10_000;
const MAX_NAME = 300;

/**
 * Validates logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6). A provider sends
 * a logout token when an account signs out at the provider, or when an administrator
 * closes the account.
 */
export class LogoutTokens {
  readonly #used = new BoundedMap<true>(MAX_TOKENS);
  #keys: Promise<JSONWebKeySet> | undefined;
  #fetchedAt = -Infinity;

  constructor(private readonly options: LogoutTokenOptions) {}

  /**
   * Returns the sessions to end; undefined for an invalid token. Rejects when the keys of
   * the provider cannot be read.
   */
  async verify(token: string): Promise<EndedSessions | undefined> {
    if (token.length > MAX_OCTETS) return undefined;
    const claims = await this.#claimsOf(token);
    if (!claims || !isLogout(claims)) return undefined;
    const { sub: subject, sid, jti: tokenId = '' } = claims;
    const providerSession = typeof sid === 'string' ? sid : undefined;
    const names = [subject, providerSession].filter((name) => name !== undefined);
    if (names.length === 0 || names.some((name) => name === '' || name.length > MAX_NAME))
      return undefined;
    return { subject, providerSession, tokenId };
  }

  /** Returns whether this token has already ended its sessions. */
  isUsed({ tokenId }: EndedSessions): boolean {
    return this.#used.get(tokenId) === true;
  }

  /**
   * Records that the sessions of a token have ended, so that the token cannot end later
   * sessions.
   */
  markUsed({ tokenId }: EndedSessions): void {
    this.#used.set(tokenId, true);
  }

  async #claimsOf(token: string): Promise<JWTPayload | undefined> {
    const { issuer, clientId, clock } = this.options;
    const { createLocalJWKSet, errors, jwtVerify } = await import('jose');
    const verify = async (): Promise<JWTPayload | undefined> => {
      const keys = createLocalJWKSet(await this.#readKeys());
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer,
        audience: clientId,
        algorithms: ALGORITHMS,
        requiredClaims: ['iat', 'jti', 'events'],
        maxTokenAge: MAX_AGE,
        clockTolerance: TOLERANCE,
        currentDate: new Date(clock.now()),
      });
      const type = protectedHeader.typ?.toLowerCase() ?? 'jwt';
      return type === 'jwt' || type.endsWith('logout+jwt') ? payload : undefined;
    };
    const refused = (error: unknown): undefined => {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    };
    try {
      return await verify();
    } catch (error) {
      // The key of the token is unknown, so the provider may have published new keys.
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#forgetKeys())
        return refused(error);
      return verify().catch(refused);
    }
  }

  #readKeys(): Promise<JSONWebKeySet> {
    if (this.#keys) return this.#keys;
    this.#fetchedAt = this.options.clock.monotonic();
    const keys = this.options.fetchKeys();
    this.#keys = keys;
    keys.catch(() => {
      if (this.#keys === keys) this.#keys = undefined;
    });
    return keys;
  }

  /**
   * Discards the keys if they are old enough to be read again, and returns whether they
   * were.
   */
  #forgetKeys(): boolean {
    if (this.options.clock.monotonic() - this.#fetchedAt < FETCH_INTERVAL) return false;
    this.#keys = undefined;
    return true;
  }
}

/**
 * Returns whether claims belong to a logout token. An ID token does not: it has a nonce,
 * or no logout event.
 */
function isLogout({ events, nonce }: JWTPayload): boolean {
  if (nonce !== undefined || typeof events !== 'object' || events === null) return false;
  const event = (events as Readonly<Record<string, unknown>>)[EVENT];
  return typeof event === 'object' && event !== null && !Array.isArray(event);
}
