import type { Store } from '../../store/index.js';
import { ACCESS_WRITER, columnList, listColumn } from './access-tables.js';
import type { ChangeBy } from './account-table.js';
import type { AuditLog } from './audit-log.js';
import { digestOf, randomText } from './random-secret.js';
import type { Role, Scope, SignInWay } from '../roles.js';
import type { AccountRights, SessionOwner } from './session-table.js';

/** A token of the API, without its secret. Times are milliseconds since 1970. */
export interface ApiToken {
  /** The public id, by which a token is listed and revoked. */
  readonly id: string;
  /** The purpose of the token, as the owner wrote it. */
  readonly label: string;
  readonly owner: string;
  /** The way in which the owner had signed in. */
  readonly way: SignInWay;
  readonly role: Role;
  readonly customers: readonly string[] | undefined;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly endsAt: number;
  readonly usedAt: number | undefined;
  /** The time at which the rights of the owner were last determined. */
  readonly confirmedAt: number;
}

interface StoredToken {
  readonly id: string;
  readonly label: string;
  readonly owner: string;
  readonly way: SignInWay;
  readonly role: Role;
  readonly customers: string | null;
  readonly scopes: string;
  readonly created_at: number;
  readonly ends_at: number;
  readonly used_at: number | null;
  readonly confirmed_at: number;
}

const columns =
  'id, label, owner, way, role, customers, scopes, created_at, ends_at, used_at, confirmed_at';
/** The prefix by which scanners find tokens in source code. */
const PREFIX = 'hmt_';
const tokenPattern = /^hmt_[0-9A-Za-z]{43}$/;
/**
 * Minimum milliseconds between two updates of the time of the last use, because each
 * update writes to the database.
 */
const USED_INTERVAL = 60_000;
/** Maximum number of tokens of one account. */
export const MAX_TOKENS = 50;

/** The table of tokens, which contains only the hashes of their secrets. */
export class TokenTable {
  constructor(
    private readonly store: Store,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Creates a token. Resolves to its secret, or to undefined if the account already has
   * too many tokens.
   */
  create(
    token: Omit<ApiToken, 'id' | 'createdAt' | 'usedAt' | 'confirmedAt'>,
    by: ChangeBy,
  ): Promise<string | undefined> {
    const secret = `${PREFIX}${randomText(43)}`;
    const { label, owner, way, role, customers, scopes, endsAt } = token;
    return this.store.write(ACCESS_WRITER, () => {
      this.store.prepare('DELETE FROM web_token WHERE ends_at < ?').run(by.at);
      if (this.list(by.at, { name: owner, way }).length >= MAX_TOKENS) return undefined;
      const id = randomText(12);
      this.store
        .prepare(
          `INSERT INTO web_token (digest, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)`,
        )
        .run(
          digestOf(secret),
          id,
          label,
          owner,
          way,
          role,
          listColumn(customers),
          JSON.stringify(scopes),
          by.at,
          endsAt,
          by.at,
        );
      this.audit.append({ ...by, action: 'token-create', subject: id, outcome: 'done' });
      return secret;
    });
  }

  /**
   * Returns the token of a secret; undefined for an unknown secret and for an expired
   * token.
   */
  find(secret: string, now: number): ApiToken | undefined {
    if (!tokenPattern.test(secret)) return undefined;
    const row = this.store
      .prepare<StoredToken>(`SELECT ${columns} FROM web_token WHERE digest = ? AND ends_at > ?`)
      .get(digestOf(secret), now);
    if (row && now - (row.used_at ?? 0) >= USED_INTERVAL)
      void this.store
        .write(ACCESS_WRITER, () =>
          this.store.prepare('UPDATE web_token SET used_at = ? WHERE id = ?').run(now, row.id),
        )
        .catch(() => undefined);
    return row && fromStored(row);
  }

  /** Returns the valid tokens, newest first. `owner`: only the tokens of this account. */
  list(now: number, owner?: SessionOwner): readonly ApiToken[] {
    return this.store
      .prepare<StoredToken>(
        `SELECT ${columns} FROM web_token WHERE ends_at > ? AND (? OR (owner = ? AND way = ?))
         ORDER BY created_at DESC, id LIMIT 500`,
      )
      .all(now, Number(owner === undefined), owner?.name ?? '', owner?.way ?? '')
      .map(fromStored);
  }

  /**
   * Revokes a token. Resolves to false if the token does not exist. `owner`: the token
   * must belong to this account.
   */
  revoke(id: string, owner: SessionOwner | undefined, by: ChangeBy): Promise<boolean> {
    return this.store.write(ACCESS_WRITER, () => {
      const row = this.store
        .prepare<{ owner: string; way: string }>('SELECT owner, way FROM web_token WHERE id = ?')
        .get(id);
      if (!row || (owner && (row.owner !== owner.name || row.way !== owner.way))) return false;
      this.store.prepare('DELETE FROM web_token WHERE id = ?').run(id);
      this.audit.append({ ...by, action: 'token-revoke', subject: id, outcome: 'done' });
      return true;
    });
  }

  /** Sets the rights of all tokens of an account, inside a transaction of the caller. */
  setRights({ name, way }: SessionOwner, { role, customers }: AccountRights, now: number): void {
    this.store
      .prepare(
        `UPDATE web_token SET role = ?, customers = ?, confirmed_at = ?
         WHERE owner = ? AND way = ?`,
      )
      .run(role, listColumn(customers), now, name, way);
  }

  /** Deletes all tokens of an account, inside a transaction of the caller. */
  deleteAll({ name, way }: SessionOwner): void {
    this.store.prepare('DELETE FROM web_token WHERE owner = ? AND way = ?').run(name, way);
  }
}

function fromStored({
  customers,
  scopes,
  created_at,
  ends_at,
  used_at,
  confirmed_at,
  ...row
}: StoredToken): ApiToken {
  return {
    ...row,
    customers: columnList(customers),
    scopes: JSON.parse(scopes) as readonly Scope[],
    createdAt: created_at,
    endsAt: ends_at,
    usedAt: used_at ?? undefined,
    confirmedAt: confirmed_at,
  };
}
