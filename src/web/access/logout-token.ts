import type { JSONWebKeySet, JWTPayload } from 'jose';
import { BoundedMap, type Clock } from '../../base/index.js';

/** The sessions that a provider has ended. At least one of the two fields is present. */
export interface EndedSessions {
  /** The account at the provider; all of its sessions end. */
  readonly subject: string | undefined;
  /** One session at the provider. */
  readonly providerSession: string | undefined;
  /** The unique number of the token. */
  readonly tokenId: string;
}

/** The provider of logout tokens, and the client that they are for. */
export interface LogoutTokenOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clock: Clock;
  /** Reads the signing keys of the provider. */
  fetchKeys(): Promise<JSONWebKeySet>;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Only asymmetric algorithms: an attacker may know the secret of a public client. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const MAX_OCTETS = 8192;
/** Age of a token, and the difference of two clocks, in seconds. */
const MAX_AGE = 300;
const TOLERANCE = 60;
/** Milliseconds until unknown keys may be fetched again. */
const FETCH_INTERVAL = 60_000;
const MAX_TOKENS = 10_000;
const MAX_NAME = 300;

/**
 * Validates logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6). A provider sends
 * one when an account signs out there, or when its administrator closes the account.
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

  /** Returns whether the sessions of this token have already ended. */
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
      // The provider may have published new keys.
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

  /** Returns whether the keys are old enough to be read again. */
  #forgetKeys(): boolean {
    if (this.options.clock.monotonic() - this.#fetchedAt < FETCH_INTERVAL) return false;
    this.#keys = undefined;
    return true;
  }
}

/**
 * Returns whether claims belong to a logout token. Returns false for an ID token, which
 * has a nonce or no event.
 */
function isLogout({ events, nonce }: JWTPayload): boolean {
  if (nonce !== undefined || typeof events !== 'object' || events === null) return false;
  const event = (events as Readonly<Record<string, unknown>>)[EVENT];
  return typeof event === 'object' && event !== null && !Array.isArray(event);
}
