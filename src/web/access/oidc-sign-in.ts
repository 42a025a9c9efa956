import { createHmac } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import type * as openid from 'openid-client';
import { BoundedMap, Name, type Clock } from '../../base/index.js';
import { lookupAddresses, type Resolver } from '../../dns/index.js';
import { request } from '../../http/index.js';
import type { Network } from '../../net/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { PagesSettings } from '../settings.js';
import { LogoutTokens } from './logout-token.js';
import { digestOf, equalSecrets, processKey } from './random-secret.js';

type OidcSettings = NonNullable<NonNullable<PagesSettings['signIn']>['oidc']>;
type OidcLibrary = typeof openid;

/** The OpenID library, and the configuration of the provider. */
interface Provider {
  readonly library: OidcLibrary;
  readonly configuration: openid.Configuration;
}

/** The network, clock and log for requests to the provider. */
export interface OidcContext {
  /**
   * A network that refuses private addresses, because the DNS of the provider chooses the
   * address.
   */
  readonly network: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  readonly log: { error(event: string, fields?: Readonly<Record<string, string>>): void };
}

/** An account that the provider has identified. */
export interface OidcAccount {
  readonly name: string;
  readonly groups: readonly string[];
  /** The path of the page to show after the sign-in. */
  readonly next: string;
  /**
   * The id of the account at the provider, which stays the same when the name changes.
   */
  readonly subject: string;
  /** The session at the provider, if the ID token names it. */
  readonly providerSession: string | undefined;
  /**
   * The data for a later confirmation; undefined if the provider issues no refresh token.
   */
  readonly renewal?: Renewal | undefined;
}

/** The data with which the provider can later confirm the account. */
interface Renewal {
  readonly subject: string;
  readonly refreshToken: string;
}

/**
 * The answer of a provider about the account of a session. `refused`: the provider has
 * closed the account or withdrawn its consent. `unknown`: the provider did not answer.
 */
export type ConfirmedAccount =
  | {
      readonly state: 'confirmed';
      readonly name: string;
      readonly groups: readonly string[];
    }
  | { readonly state: 'refused' | 'unknown' };

/**
 * A sign-in in progress, which is stored in a cookie of the browser and signed by this
 * process.
 */
interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly next: string;
  /** The time at which the sign-in expires, in milliseconds since 1970. */
  readonly endsAt: number;
}

const FLOW_MS = 10 * 60_000;
/** Milliseconds until a failed discovery is tried again. */
const RETRY_MS = 10_000;
const MAX_OCTETS = 256 * 1024;
const TIMEOUT_MS = 15_000;
const MAX_GROUPS = 1000;
const MAX_RENEWALS = 10_000;

/** The path to which the provider redirects the browser. */
export const OIDC_CALLBACK = '/sign-in/oidc/callback';
/** The path to which the provider sends logout tokens. */
export const OIDC_LOGOUT = '/sign-in/oidc/logout';

/**
 * The sign-in through an OpenID provider: authorization code with PKCE, state and nonce.
 * The network for all requests to the provider refuses private addresses. The library is
 * loaded at the first sign-in.
 */
export class OidcSignIn {
  readonly #key = processKey();
  /**
   * The refresh tokens, by the digest of the session's secret. They are only in memory,
   * never in a file.
   */
  readonly #renewals = new BoundedMap<Renewal>(MAX_RENEWALS);
  #provider: Promise<Provider> | undefined;
  #failedAt: number | undefined;
  #logoutTokens: LogoutTokens | undefined;

  constructor(
    private readonly settings: OidcSettings,
    private readonly context: OidcContext,
    private readonly clientSecret: string | undefined,
  ) {}

  /**
   * Returns the URL at the provider to which the browser is redirected, and the content
   * of the cookie. Rejects if the provider is unavailable.
   */
  async begin(next: string): Promise<{ readonly location: string; readonly cookie: string }> {
    const { library, configuration } = await this.#connect();
    const flow: Flow = {
      state: library.randomState(),
      nonce: library.randomNonce(),
      verifier: library.randomPKCECodeVerifier(),
      next,
      endsAt: this.context.clock.now() + FLOW_MS,
    };
    const location = library.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      scope: this.settings.scope,
      code_challenge: await library.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
      state: flow.state,
      nonce: flow.nonce,
    });
    const body = Buffer.from(JSON.stringify(flow)).toString('base64url');
    return { location: location.href, cookie: `${body}.${this.#sign(body)}` };
  }

  /**
   * Returns the account that a callback of the provider identifies. Returns undefined for
   * a cookie that this process has not created, and for an account without a verified
   * name. Rejects for an invalid callback.
   */
  async finish(query: string, cookie: string): Promise<OidcAccount | undefined> {
    const flow = this.#flowOf(cookie);
    if (!flow) return undefined;
    const { library, configuration } = await this.#connect();
    const address = new URL(`${this.#redirectUri}${query}`);
    const tokens = await library.authorizationCodeGrant(configuration, address, {
      pkceCodeVerifier: flow.verifier,
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    const account = this.#accountOf(claims ?? {});
    if (!claims || !account) return undefined;
    const { refresh_token: refreshToken } = tokens;
    const renewal = refreshToken === undefined ? undefined : { subject: claims.sub, refreshToken };
    const sid = claims['sid'];
    const providerSession = typeof sid === 'string' ? sid : undefined;
    return { ...account, next: flow.next, subject: claims.sub, providerSession, renewal };
  }

  /**
   * Returns the validator of the provider's logout tokens. Rejects if the configuration
   * of the provider cannot be read.
   */
  async logoutTokens(): Promise<LogoutTokens> {
    const { configuration } = await this.#connect();
    const { issuer, jwks_uri: keysUrl } = configuration.serverMetadata();
    return (this.#logoutTokens ??= new LogoutTokens({
      issuer,
      clientId: this.settings.clientId,
      clock: this.context.clock,
      fetchKeys: async () => {
        const headers = { accept: 'application/json' };
        const response = await fetchGuarded(
          keysUrl ?? '',
          { method: 'GET', headers },
          this.context,
        );
        if (response.status !== 200) throw new Error(`keys: status ${response.status}`);
        return (await response.json()) as JSONWebKeySet;
      },
    }));
  }

  /**
   * Stores the refresh token of a new session, for a later confirmation of the account.
   */
  remember(secret: string, { renewal }: OidcAccount): void {
    if (renewal) this.#renewals.set(digestOf(secret), renewal);
  }

  /**
   * Requests the current name and groups of the account of a session from the provider.
   * Never rejects: an unreachable provider does not count as a refusal.
   */
  async confirm(secret: string): Promise<ConfirmedAccount> {
    const renewal = this.#renewals.get(digestOf(secret));
    if (!renewal) return { state: 'unknown' };
    const { log } = this.context;
    try {
      const account = await this.#renew(digestOf(secret), renewal);
      return account ? { state: 'confirmed', ...account } : { state: 'refused' };
    } catch (error) {
      // The refresh token is invalid, expired or revoked (RFC 6749 §5.2), for instance
      // because the account was closed.
      if ((error as { error?: unknown }).error === 'invalid_grant') return { state: 'refused' };
      log.error('web-oidc-recheck-failed', { error: (error as Error).message });
      return { state: 'unknown' };
    }
  }

  async #renew(
    key: string,
    { subject, refreshToken }: Renewal,
  ): Promise<Pick<OidcAccount, 'name' | 'groups'> | undefined> {
    const { library, configuration } = await this.#connect();
    const tokens = await library.refreshTokenGrant(configuration, refreshToken);
    this.#renewals.set(key, { subject, refreshToken: tokens.refresh_token ?? refreshToken });
    // The response may contain an ID token, whose subject must not change (OpenID Connect
    // Core §12.2).
    const claims =
      tokens.claims() ?? (await library.fetchUserInfo(configuration, tokens.access_token, subject));
    return claims.sub === subject ? this.#accountOf(claims) : undefined;
  }

  #accountOf(
    claims: Readonly<Record<string, unknown>>,
  ): Pick<OidcAccount, 'name' | 'groups'> | undefined {
    const { nameClaim, groupsClaim } = this.settings;
    const name = claims[nameClaim];
    // An address that the provider has not verified does not identify its owner.
    if (nameClaim === 'email' && claims['email_verified'] !== true) return undefined;
    if (typeof name !== 'string' || name === '' || name.length > 200) return undefined;
    const groups = [claims[groupsClaim] ?? []]
      .flat()
      .filter((group): group is string => typeof group === 'string')
      .slice(0, MAX_GROUPS);
    return { name, groups };
  }

  get #redirectUri(): string {
    return `${this.settings.origin}${OIDC_CALLBACK}`;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url');
  }

  #flowOf(cookie: string): Flow | undefined {
    const [body = '', signature = ''] = cookie.split('.');
    if (!equalSecrets(signature, this.#sign(body))) return undefined;
    const flow = JSON.parse(Buffer.from(body, 'base64url').toString()) as Flow;
    return flow.endsAt > this.context.clock.now() ? flow : undefined;
  }

  /**
   * Returns the configuration of the provider, which is read once. After a failure it is
   * read again, at the earliest after ten seconds.
   */
  #connect(): Promise<Provider> {
    const now = this.context.clock.monotonic();
    const isFresh = this.#failedAt === undefined || now - this.#failedAt < RETRY_MS;
    if (this.#provider && isFresh) return this.#provider;
    this.#failedAt = undefined;
    this.#provider = this.#discover();
    this.#provider.catch(() => {
      this.#failedAt = this.context.clock.monotonic();
    });
    return this.#provider;
  }

  async #discover(): Promise<Provider> {
    const library = await import('openid-client');
    const configuration = await library.discovery(
      new URL(this.settings.issuer),
      this.settings.clientId,
      this.clientSecret,
      undefined,
      {
        [library.customFetch]: (url, options) =>
          fetchGuarded(url, options as GuardedRequest, this.context),
      },
    );
    return { library, configuration };
  }
}

/** The fields of a request by the library. */
interface GuardedRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | Uint8Array | null;
}

/**
 * Sends a request over HTTPS through the network that refuses private addresses. Limits
 * time and size, and follows no redirects.
 */
async function fetchGuarded(
  url: string,
  { method, headers, body }: GuardedRequest,
  { network, resolver, trustStore, clock }: OidcContext,
): Promise<Response> {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const host = Name.parse(hostname);
  if (protocol !== 'https:' || !host.ok) throw new Error(`${hostname}: not an https address`);
  const found = await lookupAddresses(resolver, host.value);
  const text = body instanceof Uint8Array ? body : Buffer.from(String(body ?? ''));
  const response = await request({
    network,
    addresses: [...found.v4, ...found.v6],
    host: hostname,
    port: port === '' ? undefined : Number(port),
    path: `${pathname}${search}`,
    method,
    headers: Object.fromEntries(new Headers(headers)),
    ...(body ? { body: text } : {}),
    anchors: trustStore,
    validationTime: clock.now(),
    maxBytes: MAX_OCTETS,
    timeoutMs: TIMEOUT_MS,
  });
  if (!response.ok) throw new Error(`${hostname}: ${response.failure.code}`);
  const { status, headers: fields, body: octets } = response.value;
  const isEmpty = status === 204 || status === 304;
  return new Response(isEmpty ? null : Buffer.from(octets), { status, headers: fields });
}
