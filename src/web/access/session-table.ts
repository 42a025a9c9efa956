import type { Store } from '../../store/index.js';
import { ACCESS_WRITER, columnList, listColumn } from './access-tables.js';
import type { AuditEntry, AuditLog } from './audit-log.js';
import { digestOf, randomText } from './random-secret.js';
import type { Role, SignInWay } from '../roles.js';

/** A session without its secret. Times are milliseconds since 1970. */
export interface Session {
  /** The public number, by which a session is listed and ended. */
  readonly id: string;
  readonly name: string;
  readonly way: SignInWay;
  readonly role: Role;
  readonly customers: readonly string[] | undefined;
  readonly network: string;
  /** The name that the browser sends. */
  readonly agent: string;
  readonly createdAt: number;
  readonly seenAt: number;
  /** The time at which its rights were read: at the sign-in, and at each confirmation. */
  readonly confirmedAt: number;
}

/** The account that a session belongs to. One name may exist in several ways. */
export type SessionOwner = Pick<Session, 'name' | 'way'>;

/** The rights of an account: its role, and the customers that it is confined to. */
export type AccountRights = Pick<Session, 'role'> & Partial<Pick<Session, 'customers'>>;

/** The lifetime of sessions, milliseconds. */
export interface AccountSessionLimits {
  /** Maximum time without a request. */
  readonly idleMs: number;
  /** Maximum time since the sign-in. */
  readonly totalMs: number;
}

/** The account and the session at the provider that opened a session. */
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
 * Minimum milliseconds between two updates of the last request, because each is a write.
 */
const SEEN_INTERVAL = 60_000;
/** Sessions of one account; the oldest is removed. */
const MAX_SESSIONS = 20;
const MAX_AGENT = 200;
/** Milliseconds by which a clock may be set back without ending sessions. */
const MAX_CLOCK_STEP = 300_000;

/**
 * Sessions in the database, by the hash of their secret, so that a copy of the database
 * gives access to no session. A session ends at its limits, at the sign-out, or with its
 * account.
 */
export class SessionTable {
  constructor(
    private readonly store: Store,
    private readonly limits: AccountSessionLimits,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Opens a session and ends the one that the browser presented: a secret that was known
   * before the sign-in becomes invalid. Resolves to the secret once the session is
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
   * Returns the session of a secret within its limits. The current request becomes the
   * last request of the session.
   */
  find(secret: string, now: number): Session | undefined {
    const row = this.store
      .prepare<StoredSession>(`SELECT ${columns} FROM web_session WHERE digest = ?`)
      .get(digestOf(secret));
    if (!row || !this.#isAlive(row, now)) return undefined;
    if (now - row.seen_at >= SEEN_INTERVAL)
      // If a full disk prevents the update, the session ends at its idle limit.
      void this.store
        .write(ACCESS_WRITER, () =>
          this.store
            .prepare('UPDATE web_session SET seen_at = ? WHERE digest = ? AND seen_at < ?')
            .run(now, digestOf(secret), now),
        )
        .catch(() => undefined);
    return fromStored(row);
  }

  /** Returns the open sessions, the newest request first. `owner`: of one account. */
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
   * Ends a session. `owner`: only a session of this account. Resolves to false if the
   * session does not exist.
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

  /** Ends all sessions of an account. Resolves to their number. */
  endAll(owner: SessionOwner, by: Omit<AuditEntry, 'outcome' | 'subject'>): Promise<number> {
    return this.store.write(ACCESS_WRITER, () => {
      const ended = this.deleteAll(owner);
      this.audit.append({ ...by, subject: owner.name, outcome: 'done' });
      return ended;
    });
  }

  /**
   * Ends the sessions that a provider has ended: those of its account, of its session, or
   * of both. Resolves to their number.
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

  /** Deletes all sessions of an account, inside a write. Returns their number. */
  deleteAll({ name, way }: SessionOwner): number {
    return this.store.prepare('DELETE FROM web_session WHERE name = ? AND way = ?').run(name, way);
  }

  /**
   * Changes the rights of the sessions of an account, inside a write. Returns the number
   * of sessions that had different ones.
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

  /** Records that the rights of a session were read again, inside a write. */
  confirm(id: string, now: number): void {
    this.store.prepare('UPDATE web_session SET confirmed_at = ? WHERE id = ?').run(now, id);
  }

  #isAlive({ created_at, seen_at }: StoredSession, now: number): boolean {
    const { idleMs, totalMs } = this.limits;
    // Sessions of a clock that was ahead would otherwise last longer once the clock is
    // corrected.
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
