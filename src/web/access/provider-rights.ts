import { BoundedMap, SingleFlight, type Clock } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import { ACCESS_WRITER } from './access-tables.js';
import type { AuditLog } from './audit-log.js';
import { grantOf, type Grant } from './grants.js';
import type { ConfirmedAccount } from './oidc-sign-in.js';
import type { AccountRights, Session, SessionTable } from './session-table.js';
import type { TokenTable } from './token-table.js';

/** A function that requests the current name and groups of the account of a session. */
export interface RightsProvider {
  confirm(secret: string): Promise<ConfirmedAccount>;
}

/** The resources of {@link ProviderRights}. */
export interface ProviderRightsOptions {
  readonly store: Store;
  readonly sessions: SessionTable;
  readonly tokens: TokenTable;
  readonly audit: AuditLog;
  readonly grants: readonly Grant[];
  readonly clock: Clock;
  /** Milliseconds for which confirmed rights are valid. */
  readonly validMs: number;
}

/** Milliseconds until the next request to a provider that did not answer. */
const RETRY_MS = 10_000;
const MAX_SESSIONS = 10_000;

/**
 * The rights of accounts that an OpenID provider identifies. After a short time the
 * provider must confirm the account of a session and its groups. A refusal ends all
 * sessions and tokens of the account. While the provider does not answer, requests are
 * refused, but the session stays open and can be used when the provider answers again.
 */
export class ProviderRights {
  readonly #flights = new SingleFlight<void>();
  readonly #retryAt = new BoundedMap<number>(MAX_SESSIONS);

  constructor(private readonly options: ProviderRightsOptions) {}

  /** Returns whether the rights of a session need no confirmation now. */
  areValid({ way, confirmedAt }: Session): boolean {
    return way !== 'oidc' || this.options.clock.now() - confirmedAt < this.options.validMs;
  }

  /**
   * Requests a confirmation from the provider if the rights of a session need one, and
   * applies the result.
   */
  async recheck(secret: string, provider: RightsProvider): Promise<void> {
    const { sessions, clock } = this.options;
    const session = sessions.find(secret, clock.now());
    if (!session || this.areValid(session)) return;
    if (clock.monotonic() < (this.#retryAt.get(session.id) ?? -Infinity)) return;
    await this.#flights.run(session.id, async () => {
      const confirmed = await provider.confirm(secret);
      if (confirmed.state === 'unknown')
        this.#retryAt.set(session.id, clock.monotonic() + RETRY_MS);
      else await this.#settle(session, confirmed);
    });
  }

  /**
   * Applies the result of a sign-in to all sessions and tokens of the account. Resolves
   * to the rights of the account; undefined for an account without a grant.
   */
  async apply(
    name: string,
    groups: readonly string[],
    network: string,
  ): Promise<AccountRights | undefined> {
    const grant = grantOf(this.options.grants, name, groups);
    await this.#write(name, network, grant);
    return grant;
  }

  async #settle(
    { id, name, network }: Session,
    confirmed: Exclude<ConfirmedAccount, { state: 'unknown' }>,
  ): Promise<void> {
    const isSame = confirmed.state === 'confirmed' && confirmed.name === name;
    const grant = isSame ? grantOf(this.options.grants, name, confirmed.groups) : undefined;
    await this.#write(name, network, grant, id);
  }

  /**
   * Stores the rights of an account; undefined ends its sessions and tokens. `session`:
   * the id of the session that the provider has confirmed.
   */
  #write(
    name: string,
    network: string,
    rights: AccountRights | undefined,
    session?: string,
  ): Promise<void> {
    const { store, sessions, tokens, audit, clock } = this.options;
    const owner = { name, way: 'oidc' as const };
    const at = clock.now();
    const entry = {
      at,
      actor: name,
      way: 'oidc',
      network,
      subject: name,
      outcome: 'done',
    } as const;
    return store.write(ACCESS_WRITER, () => {
      if (!rights) {
        if (sessions.deleteAll(owner) > 0) audit.append({ ...entry, action: 'rights-end' });
        return tokens.deleteAll(owner);
      }
      if (sessions.setRights(owner, rights) > 0)
        audit.append({ ...entry, action: 'rights-change' });
      tokens.setRights(owner, rights, at);
      if (session !== undefined) sessions.confirm(session, at);
    });
  }
}
