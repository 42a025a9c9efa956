import type { Store } from '../../store/index.js';
import { ACCESS_WRITER, columnList, listColumn } from './access-tables.js';
import type { AuditEntry, AuditLog } from './audit-log.js';
import { digestOf, randomText } from './random-secret.js';
import type { Role, SignInWay } from '../roles.js';

/** A session without its secret. Times are milliseconds since 1970. */
export interface Session {
  /** The public id, by which a session is listed and ended. */
  readonly id: string;
  readonly name: string;
  readonly way: SignInWay;
  readonly role: Role;
  readonly customers: readonly string[] | undefined;
  readonly network: string;
  /** The User-Agent field of the browser. */
  readonly agent: string;
  readonly createdAt: number;
  readonly seenAt: number;
  /**
   * The time at which the rights were last determined: at the sign-in, or at a
   * confirmation.
   */
  readonly confirmedAt: number;
}

/**
 * The account to which a session belongs. Accounts with different ways of sign-in may
 * have the same name.
 */
export type SessionOwner = Pick<Session, 'name' | 'way'>;

/** The rights of an account: its role, and the customers to which it is confined. */
export type AccountRights = Pick<Session, 'role'> & Partial<Pick<Session, 'customers'>>;

/** The limits on the lifetime of sessions, in milliseconds. */
export interface AccountSessionLimits {
  /** Maximum time without a request. */
  readonly idleMs: number;
  /** Maximum time since the sign-in. */
  readonly totalMs: number;
}

/**
 * The account and the session at the OpenID provider, for a session that was opened
 * through the provider.
 */
export interface ProviderSession {
  readonly subject?: string | undefined;
  readonly providerSession?: string | undefined;
}

/** The data of a session to open. */
export type NewSession = Omit<Session, 'id' | 'createdAt' | 'seenAt' | 'confirmedAt'> &
  ProviderSession;

interface StoredSession {
  readonly id: string;
  readonly name: string;
  readonly way: SignInWay;
  readonly role: Role;
  readonly customers: string | null;
  readonly network: string;
  readonly agent: string;
  readonly created_at: number;
  readonly seen_at: number;
  readonly confirmed_at: number;
}

const columns = 'id, name, way, role, customers, network, agent, created_at, seen_at, confirmed_at';
/**
 * Minimum milliseconds between two updates of the time of the last request, because each
 * update writes to the database.
 */
const SEEN_INTERVAL = 60_000;
/**
 * Maximum number of sessions of one account. Beyond this number the least recently used
 * session is deleted.
 */
const MAX_SESSIONS = 20;
const MAX_AGENT = 200;
/** Maximum milliseconds by which the clock may be set back without ending sessions. */
const MAX_CLOCK_STEP = 300_000;

/**
 * The table of sessions. It contains the hashes of the secrets, so that a copy of the
 * database gives access to no session. A session ends at its time limits, at the
 * sign-out, or when its account is deleted.
 */
export class SessionTable {
  constructor(
    private readonly store: Store,
    private readonly limits: AccountSessionLimits,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Opens a session and ends the earlier session that the browser sent: an attacker may
   * know a secret from before the sign-in. Resolves to the new secret when the session is
   * durable.
   */
  async open(session: NewSession, presented: string | undefined, now: number): Promise<string> {
    const secret = randomText(43);
    const { name, way, role, customers, network, agent } = session;
    await this.store.write(ACCESS_WRITER, () => {
      if (presented !== undefined)
        this.store.prepare('DELETE FROM web_session WHERE digest = ?').run(digestOf(presented));
      this.#prune(now);
      this.store
        .prepare(
          `DELETE FROM web_session WHERE name = ? AND way = ? AND digest NOT IN
             (SELECT digest FROM web_session WHERE name = ? AND way = ?
              ORDER BY seen_at DESC LIMIT ?)`,
        )
        .run(name, way, name, way, MAX_SESSIONS - 1);
      this.store
        .prepare(
          `INSERT INTO web_session (digest, ${columns}, subject, provider_session)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          digestOf(secret),
          randomText(12),
          name,
          way,
          role,
          listColumn(customers),
          network,
          agent.slice(0, MAX_AGENT),
          now,
          now,
          now,
          session.subject ?? null,
          session.providerSession ?? null,
        );
      this.audit.append({
        at: now,
        actor: name,
        way,
        network,
        action: 'sign-in',
        subject: name,
        outcome: 'done',
      });
    });
    return secret;
  }

  /**
   * Returns the session of a secret; undefined for an unknown secret, and for a session
   * beyond its time limits. Records the time of this request.
   */
  find(secret: string, now: number): Session | undefined {
    const row = this.store
      .prepare<StoredSession>(`SELECT ${columns} FROM web_session WHERE digest = ?`)
      .get(digestOf(secret));
    if (!row || !this.#isAlive(row, now)) return undefined;
    if (now - row.seen_at >= SEEN_INTERVAL)
      // If a full disk prevents the update, the session ends as if it had been idle.
      void this.store
        .write(ACCESS_WRITER, () =>
          this.store
            .prepare('UPDATE web_session SET seen_at = ? WHERE digest = ? AND seen_at < ?')
            .run(now, digestOf(secret), now),
        )
        .catch(() => undefined);
    return fromStored(row);
  }

  /**
   * Returns the open sessions, the most recently used first. `owner`: only the sessions
   * of this account.
   */
  list(now: number, owner?: SessionOwner): readonly Session[] {
    const rows = this.store
      .prepare<StoredSession>(
        `SELECT ${columns} FROM web_session WHERE ? OR (name = ? AND way = ?)
         ORDER BY seen_at DESC LIMIT 500`,
      )
      .all(Number(owner === undefined), owner?.name ?? '', owner?.way ?? '');
    return rows.filter((row) => this.#isAlive(row, now)).map(fromStored);
  }

  /**
   * Ends a session. Resolves to false if the session does not exist. `owner`: the session
   * must belong to this account.
   */
  end(
    id: string,
    owner: SessionOwner | undefined,
    by: Omit<AuditEntry, 'outcome' | 'subject'>,
  ): Promise<boolean> {
    return this.store.write(ACCESS_WRITER, () => {
      const row = this.store
        .prepare<SessionOwner>('SELECT name, way FROM web_session WHERE id = ?')
        .get(id);
      if (!row || (owner && (row.name !== owner.name || row.way !== owner.way))) return false;
      this.store.prepare('DELETE FROM web_session WHERE id = ?').run(id);
      this.audit.append({ ...by, subject: row.name, outcome: 'done' });
      return true;
    });
  }

  /** Ends all sessions of an account, and resolves to the number of ended sessions. */
  endAll(owner: SessionOwner, by: Omit<AuditEntry, 'outcome' | 'subject'>): Promise<number> {
    return this.store.write(ACCESS_WRITER, () => {
      const ended = this.deleteAll(owner);
      this.audit.append({ ...by, subject: owner.name, outcome: 'done' });
      return ended;
    });
  }

  /**
   * Ends the sessions that a provider has ended: those of an account or of a session at
   * the provider. Resolves to the number of ended sessions.
   */
  endOfProvider({ subject, providerSession }: ProviderSession, now: number): Promise<number> {
    const condition = `way = 'oidc' AND (? IS NULL OR subject = ?)
      AND (? IS NULL OR provider_session = ? OR (? IS NOT NULL AND provider_session IS NULL))`;
    const [account, session] = [subject ?? null, providerSession ?? null];
    const values = [account, account, session, session, account];
    return this.store.write(ACCESS_WRITER, () => {
      if (account === null && session === null) return 0;
      const names = this.store
        .prepare<{ name: string }>(`SELECT DISTINCT name FROM web_session WHERE ${condition}`)
        .all(...values);
      for (const { name } of names)
        this.audit.append({
          at: now,
          actor: 'provider',
          way: 'oidc',
          network: '',
          action: 'provider-sign-out',
          subject: name,
          outcome: 'done',
        });
      return this.store.prepare(`DELETE FROM web_session WHERE ${condition}`).run(...values);
    });
  }

  /**
   * Deletes all sessions of an account, inside a transaction of the caller. Returns the
   * number of deleted sessions.
   */
  deleteAll({ name, way }: SessionOwner): number {
    return this.store.prepare('DELETE FROM web_session WHERE name = ? AND way = ?').run(name, way);
  }

  /**
   * Sets the rights of all sessions of an account, inside a transaction of the caller.
   * Returns the number of sessions whose rights changed.
   */
  setRights({ name, way }: SessionOwner, { role, customers }: AccountRights): number {
    const list = listColumn(customers);
    return this.store
      .prepare(
        `UPDATE web_session SET role = ?, customers = ?
         WHERE name = ? AND way = ? AND (role <> ? OR customers IS NOT ?)`,
      )
      .run(role, list, name, way, role, list);
  }

  /**
   * Records the time at which the rights of a session were confirmed, inside a
   * transaction of the caller.
   */
  confirm(id: string, now: number): void {
    this.store.prepare('UPDATE web_session SET confirmed_at = ? WHERE id = ?').run(now, id);
  }

  #isAlive({ created_at, seen_at }: StoredSession, now: number): boolean {
    const { idleMs, totalMs } = this.limits;
    // A session that was opened while the clock was ahead is invalid: after a correction
    // of the clock it would last too long.
    const isOfFuture = Math.max(created_at, seen_at) - now > MAX_CLOCK_STEP;
    return !isOfFuture && now - seen_at < idleMs && now - created_at < totalMs;
  }

  #prune(now: number): void {
    const { idleMs, totalMs } = this.limits;
    this.store
      .prepare('DELETE FROM web_session WHERE seen_at < ? OR created_at < ?')
      .run(now - idleMs, now - totalMs);
    this.audit.prune(now);
  }
}

function fromStored({
  created_at,
  seen_at,
  confirmed_at,
  customers,
  ...row
}: StoredSession): Session {
  return {
    ...row,
    customers: columnList(customers),
    createdAt: created_at,
    seenAt: seen_at,
    confirmedAt: confirmed_at,
  };
}
