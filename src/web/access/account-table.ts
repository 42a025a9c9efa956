import type { Store } from '../../store/index.js';
import { ACCESS_WRITER, columnList, listColumn, prepareAccess } from './access-tables.js';
import { AuditLog, type AuditEntry } from './audit-log.js';
import type { Role } from '../roles.js';

/** A local account, without its password. */
export interface Account {
  readonly name: string;
  readonly role: Role;
  /** The customers to which the account is confined; undefined for all domains. */
  readonly customers: readonly string[] | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly changedAt: number;
}

/** The time, account and network of a change, for the audit log. */
export type ChangeBy = Pick<AuditEntry, 'at' | 'actor' | 'way' | 'network'>;

interface StoredAccount {
  readonly name: string;
  readonly role: Role;
  readonly customers: string | null;
  readonly created_at: number;
  readonly changed_at: number;
  readonly password: string;
}

const columns = 'name, role, customers, created_at, changed_at, password';
const namePattern = /^[a-z0-9][a-z0-9._@+-]{0,63}$/;

/** Returns the normalised name of an account; undefined for an invalid name. */
export function parseAccountName(text: string): string | undefined {
  const name = text.trim().toLowerCase();
  return namePattern.test(name) ? name : undefined;
}

/**
 * The table of local accounts. Every change is recorded in the audit log in the same
 * transaction.
 */
export class AccountTable {
  readonly audit: AuditLog;
  readonly #store: Store;

  constructor(stateStore: Store) {
    prepareAccess(stateStore);
    this.#store = stateStore;
    this.audit = new AuditLog(stateStore);
  }

  list(): readonly Account[] {
    return this.#store
      .prepare<StoredAccount>(`SELECT ${columns} FROM web_user ORDER BY name`)
      .all()
      .map(fromStored);
  }

  find(name: string): (Account & { readonly password: string }) | undefined {
    const row = this.#store
      .prepare<StoredAccount>(`SELECT ${columns} FROM web_user WHERE name = ?`)
      .get(name);
    return row && { ...fromStored(row), password: row.password };
  }

  /**
   * Adds an account. Resolves to false if the name exists. `password`: the hash of the
   * password.
   */
  add(
    { name, role, customers }: Pick<Account, 'name' | 'role' | 'customers'>,
    password: string,
    by: ChangeBy,
  ): Promise<boolean> {
    return this.#change({ ...by, action: 'user-add', subject: name }, () =>
      this.#store
        .prepare(
          `INSERT INTO web_user (name, password, role, customers, created_at, changed_at)
           VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
        )
        .run(name, password, role, listColumn(customers), by.at, by.at),
    );
  }

  /**
   * Deletes an account with its sessions and tokens. Resolves to false if the account
   * does not exist.
   */
  remove(name: string, by: ChangeBy): Promise<boolean> {
    return this.#change({ ...by, action: 'user-remove', subject: name }, () => {
      this.#endAccess(name);
      return this.#store.prepare('DELETE FROM web_user WHERE name = ?').run(name);
    });
  }

  /** Replaces a password and ends the sessions of the account. */
  setPassword(name: string, password: string, by: ChangeBy): Promise<boolean> {
    return this.#change({ ...by, action: 'user-password', subject: name }, () => {
      this.#store.prepare("DELETE FROM web_session WHERE name = ? AND way = 'password'").run(name);
      return this.#store
        .prepare('UPDATE web_user SET password = ?, changed_at = ? WHERE name = ?')
        .run(password, by.at, name);
    });
  }

  #endAccess(name: string): void {
    this.#store.prepare("DELETE FROM web_session WHERE name = ? AND way = 'password'").run(name);
    this.#store.prepare("DELETE FROM web_token WHERE owner = ? AND way = 'password'").run(name);
  }

  /** Runs a change and adds its line to the audit log, unless nothing changed. */
  #change(entry: Omit<AuditEntry, 'outcome'>, work: () => number): Promise<boolean> {
    return this.#store.write(ACCESS_WRITER, () => {
      const isDone = work() > 0;
      if (isDone) this.audit.append({ ...entry, outcome: 'done' });
      return isDone;
    });
  }
}

function fromStored({ name, role, customers, created_at, changed_at }: StoredAccount): Account {
  return {
    name,
    role,
    customers: columnList(customers),
    createdAt: created_at,
    changedAt: changed_at,
  };
}
