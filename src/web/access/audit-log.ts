import type { Store } from '../../store/index.js';
import { ACCESS_WRITER, AUDIT_DAYS } from './access-tables.js';

/** An action of an account, which was performed or refused. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The name of the account; after a failed sign-in, the name that the client typed. */
  readonly actor: string;
  readonly way: string;
  /** The network of the client: IPv4 /24 or IPv6 /48. */
  readonly network: string;
  /** The action, such as `sign-in`, `user-add`, `token-revoke`. */
  readonly action: string;
  /** The object of the action: a user, a token, a domain. */
  readonly subject: string;
  readonly outcome: 'done' | 'refused';
}

/** An entry with its number. Numbers increase and are never reused. */
export interface AuditLine extends AuditEntry {
  readonly id: number;
}

/** Maximum characters of a name that a client typed. */
const MAX_TEXT = 200;

/**
 * The audit log. Rows are only added: the database refuses to update a row, and to delete
 * a row younger than 400 days.
 */
export class AuditLog {
  constructor(private readonly store: Store) {}

  /**
   * Adds an entry inside the transaction of the action, so that both are stored or
   * neither.
   */
  append({ at, actor, way, network, action, subject, outcome }: AuditEntry): void {
    this.store
      .prepare(
        `INSERT INTO web_audit (at, actor, way, network, action, subject, outcome)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(at, actor.slice(0, MAX_TEXT), way, network, action, subject.slice(0, MAX_TEXT), outcome);
  }

  /** Adds an entry in a separate transaction. */
  record(entry: AuditEntry): Promise<void> {
    return this.store.write(ACCESS_WRITER, () => this.append(entry));
  }

  /** Returns the entries with a smaller number than `before`, newest first. */
  list(limit: number, before = Number.MAX_SAFE_INTEGER): readonly AuditLine[] {
    return this.store
      .prepare<AuditLine>(
        `SELECT id, at, actor, way, network, action, subject, outcome FROM web_audit
         WHERE id < ? ORDER BY id DESC LIMIT ?`,
      )
      .all(before, limit);
  }

  /** Deletes entries after their retention time. */
  prune(now: number): void {
    this.store
      .prepare('DELETE FROM web_audit WHERE at < ?')
      .run(now - (AUDIT_DAYS + 1) * 86_400_000);
  }
}
