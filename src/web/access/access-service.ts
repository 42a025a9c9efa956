import type { Clock } from '../../base/index.js';
import { BoundedMap } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import { limitKey, savedAddress } from '../clients/client-address.js';
import { RateWindow } from '../clients/rate-window.js';
import type { WebFailureCode } from '../failures.js';
import type { PagesSettings } from '../settings.js';
import { AccountTable, parseAccountName } from './account-table.js';
import type { AuditEntry, AuditLog } from './audit-log.js';
import { PASSWORD_LENGTH, PasswordHasher } from './password-hash.js';
import { ProviderRights } from './provider-rights.js';
import { processKey } from './random-secret.js';
import { DomainReach, roles, type Actor, type Role } from '../roles.js';
import { SessionTable, type ProviderSession } from './session-table.js';
import { TokenTable } from './token-table.js';
import { actorOfProxy, type ProxiedRequest } from './trusted-proxy.js';

/** The fields of the sign-in form, and the facts of its request. */
export interface PasswordSignIn {
  readonly name: string;
  readonly password: string;
  /** The address of the client. */
  readonly client: string;
  readonly agent: string;
  /** The secret of an earlier session that the browser sent. */
  readonly presented: string | undefined;
}

/** An account that an OpenID provider has identified. */
export interface ProvidedAccount extends ProviderSession {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The secrets that the daemon has read from the files in the configuration. */
export interface SignInSecrets {
  readonly proxy?: string | undefined;
  readonly oidcClient?: string | undefined;
}

/** The secret of a new session, or the reason why no session was opened. */
export type SignInResult =
  | { readonly ok: true; readonly secret: string }
  | { readonly ok: false; readonly code: WebFailureCode; readonly retrySeconds?: number };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The length of the period in which failed sign-ins are counted, in milliseconds. */
const WINDOW = 15 * MINUTE;
/** Maximum number of failed sign-ins in the period. A further attempt must wait. */
const MAX_FAILURES = { perAccount: 5, perNetwork: 10 } as const;
/** Maximum number of failed sign-ins that the audit log records in an hour. */
const MAX_RECORDED = 200;
/**
 * Number of days for which a token of an OpenID account is valid without a sign-in or
 * confirmation of the account.
 */
const PROVIDER_TOKEN_DAYS = 30;
/** Maximum number of pairs of network and account with a successful sign-in in memory. */
const MAX_KNOWN = 10_000;

/**
 * The accounts, sessions, tokens and audit log of the pages. Signs accounts in, and
 * determines the account of a request.
 *
 * Failed sign-ins are counted for each account and each network. The limit of an account
 * does not apply to a network from which the owner has signed in before: otherwise an
 * attacker could lock the owner out with five wrong guesses.
 */
export class AccessService {
  readonly accounts: AccountTable;
  readonly sessions: SessionTable;
  readonly tokens: TokenTable;
  readonly audit: AuditLog;
  readonly providerRights: ProviderRights;
  /** Whether sign-in is configured. */
  readonly isOpen: boolean;
  readonly #settings: PagesSettings;
  readonly #clock: Clock;
  readonly #hasher = new PasswordHasher();
  readonly #perAccount: RateWindow;
  readonly #perNetwork: RateWindow;
  readonly #recorded: RateWindow;
  readonly #known = new BoundedMap<true>(MAX_KNOWN);
  readonly #localKey = processKey();
  readonly #proxySecret: string | undefined;

  constructor(
    settings: PagesSettings,
    { store: stateStore, clock }: { readonly store: Store; readonly clock: Clock },
    secrets: SignInSecrets = {},
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#proxySecret = secrets.proxy;
    this.isOpen = settings.signIn !== undefined;
    this.accounts = new AccountTable(stateStore);
    this.audit = this.accounts.audit;
    this.tokens = new TokenTable(stateStore, this.audit);
    const { idleHours = 12, days = 7 } = settings.signIn ?? {};
    const sessionLimits = { idleMs: idleHours * HOUR, totalMs: days * 24 * HOUR };
    this.sessions = new SessionTable(stateStore, sessionLimits, this.audit);
    this.providerRights = new ProviderRights({
      store: stateStore,
      sessions: this.sessions,
      tokens: this.tokens,
      audit: this.audit,
      grants: settings.signIn?.grants ?? [],
      clock,
      // Without a configured provider the value is 0, so that all sessions of OpenID
      // accounts are invalid.
      validMs: (settings.signIn?.oidc?.recheckMinutes ?? 0) * MINUTE,
    });
    const now = (): number => clock.monotonic();
    this.#perAccount = new RateWindow(MAX_FAILURES.perAccount, WINDOW, now);
    this.#perNetwork = new RateWindow(MAX_FAILURES.perNetwork, WINDOW, now);
    this.#recorded = new RateWindow(MAX_RECORDED, HOUR, now);
  }

  /** The account of the loopback port, where every request comes from the operator. */
  get localActor(): Actor {
    return {
      name: 'local',
      way: 'local',
      role: 'admin',
      customers: undefined,
      reach: DomainReach.whole,
      formKey: this.#localKey,
    };
  }

  /**
   * Opens a session for a name and a password. An unknown name takes as long as a wrong
   * password, counts as a failure too, and gets the same answer.
   */
  async signIn(form: PasswordSignIn): Promise<SignInResult> {
    const typed = form.name.trim().toLowerCase();
    const network = limitKey(form.client);
    const place = `${network} ${typed}`;
    const wait = Math.max(
      this.#perNetwork.waitFor(network),
      this.#known.get(place) ? 0 : this.#perAccount.waitFor(typed),
    );
    if (wait > 0)
      return { ok: false, code: 'web-sign-in-limit', retrySeconds: Math.ceil(wait / 1000) };
    // The attempt is counted before the comparison: otherwise parallel guesses would all
    // pass the limit.
    this.#perNetwork.count(network);
    this.#perAccount.count(typed);
    const name = parseAccountName(form.name);
    const account = name === undefined ? undefined : this.accounts.find(name);
    const { password } = form;
    // A character has at most two UTF-16 code units.
    const text = password.length <= 2 * PASSWORD_LENGTH.most ? password : '';
    const isRight = await this.#hasher.verify(account?.password, text);
    if (isRight === undefined) {
      this.#forgive(network, typed);
      return { ok: false, code: 'web-sign-in-busy', retrySeconds: 10 };
    }
    // The account may have changed while the password was compared.
    const present = name === undefined ? undefined : this.accounts.find(name);
    if (!isRight || !account || present?.password !== account.password) {
      await this.#recordFailure(typed, form.client);
      return { ok: false, code: 'web-sign-in-failed' };
    }
    this.#forgive(network, typed);
    this.#known.set(place, true);
    const session = {
      name: present.name,
      way: 'password' as const,
      role: present.role,
      customers: present.customers,
      network: savedAddress(form.client),
      agent: form.agent,
    };
    const secret = await this.sessions.open(session, form.presented, this.#clock.now());
    return { ok: true, secret };
  }

  /** Hashes a new password, after the hashes and comparisons that are already waiting. */
  hash(password: string): Promise<string> {
    return this.#hasher.hash(password);
  }

  /**
   * Opens a session for an account that a provider has identified. Returns undefined
   * without a matching grant; the audit log records the refusal.
   */
  async signInAs(
    { name, groups, subject, providerSession }: ProvidedAccount,
    { client, agent, presented }: Pick<PasswordSignIn, 'client' | 'agent' | 'presented'>,
  ): Promise<string | undefined> {
    const grant = await this.providerRights.apply(name, groups, savedAddress(client));
    if (!grant) {
      await this.#recordFailure(name, client, 'oidc');
      return undefined;
    }
    const { role, customers } = grant;
    const network = savedAddress(client);
    const account = { name, way: 'oidc' as const, role, customers, subject, providerSession };
    const session = { ...account, network, agent };
    return this.sessions.open(session, presented, this.#clock.now());
  }

  /** Returns the account of a session; undefined for a secret without a session. */
  actorOfSession(secret: string): Actor | undefined {
    const session = this.sessions.find(secret, this.#clock.now());
    if (!session || !this.providerRights.areValid(session)) return undefined;
    // A local account has its current rights, not the rights at the time of the sign-in.
    const rights = session.way === 'password' ? this.accounts.find(session.name) : session;
    if (!rights) return undefined;
    return {
      name: session.name,
      way: session.way,
      role: rights.role,
      customers: rights.customers,
      reach: DomainReach.of(rights.customers, this.#settings.customers),
      session: session.id,
      formKey: secret,
    };
  }

  /**
   * Returns whether a request has a valid session or token, or an account that a trusted
   * proxy names.
   */
  hasAccount({ peer, headers }: ProxiedRequest): boolean {
    const now = this.#clock.now();
    const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '') ?? [];
    if (bearer !== undefined && this.tokens.find(bearer, now)) return true;
    const [, secret] = /(?:^|; *)__Host-hermetic=([^;]+)/.exec(headers.get('cookie') ?? '') ?? [];
    if (secret !== undefined && this.sessions.find(secret, now)) return true;
    return this.actorOfProxy({ peer, headers }) !== undefined;
  }

  /** Returns whether a session is open but its provider must first confirm the rights. */
  isUnconfirmed(secret: string): boolean {
    const session = this.sessions.find(secret, this.#clock.now());
    return session !== undefined && !this.providerRights.areValid(session);
  }

  /** Returns the account of a token; undefined for a secret that is not a valid token. */
  actorOfToken(secret: string): Actor | undefined {
    const token = this.tokens.find(secret, this.#clock.now());
    if (!token) return undefined;
    const unconfirmedMs = this.#clock.now() - token.confirmedAt;
    if (token.way === 'oidc' && unconfirmedMs >= PROVIDER_TOKEN_DAYS * 24 * HOUR) return undefined;
    // A token of a local account is invalid without the account, and has at most the
    // rights of the account.
    const account = token.way === 'password' ? this.accounts.find(token.owner) : token;
    if (!account) return undefined;
    const customers = account.customers ?? token.customers;
    return {
      name: token.owner,
      way: 'token',
      role: lesserRole(account.role, token.role),
      customers,
      reach: DomainReach.of(customers, this.#settings.customers),
      scopes: token.scopes,
      token: token.id,
      tokenWay: token.way,
    };
  }

  /** Returns the account that a trusted proxy names. */
  actorOfProxy(request: ProxiedRequest): Actor | undefined {
    const secrets = { secret: this.#proxySecret, formKey: this.#localKey };
    return actorOfProxy(request, this.#settings, secrets);
  }

  /**
   * Returns the fields of an audit entry that are the same for all actions of a request.
   */
  entryBy(actor: Actor, client: string): Pick<AuditEntry, 'at' | 'actor' | 'way' | 'network'> {
    const { name, way } = actor;
    return { at: this.#clock.now(), actor: name, way, network: savedAddress(client) };
  }

  #forgive(network: string, typed: string): void {
    this.#perNetwork.forgive(network);
    this.#perAccount.forgive(typed);
  }

  async #recordFailure(typed: string, client: string, way = 'password'): Promise<void> {
    if (this.#recorded.waitFor('') > 0) return;
    this.#recorded.count('');
    await this.audit.record({
      at: this.#clock.now(),
      actor: typed,
      way,
      network: savedAddress(client),
      action: 'sign-in',
      subject: typed,
      outcome: 'refused',
    });
  }
}

function lesserRole(left: Role, right: Role): Role {
  return roles.indexOf(left) < roles.indexOf(right) ? left : right;
}
