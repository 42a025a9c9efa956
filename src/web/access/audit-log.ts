import type { Store } from '../../store/index.js';
import { ACCESS_WRITER, AUDIT_DAYS } from './access-tables.js';

/** One action that an account performed or was refused. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The account; the typed name of a failed sign-in. */
  readonly actor: string;
  readonly way: string;
  /** Network of the client: IPv4 /24 or IPv6 /48. */
  readonly network: string;
  /** Such as `sign-in`, `user-add`, `token-revoke`. */
  readonly action: string;
  /** The object of the action: a user, a token, a domain. */
  readonly subject: string;
  readonly outcome: 'done' | 'refused';
}

/** An entry with its number. Numbers increase and are never reused. */
export interface AuditLine extends AuditEntry {
  readonly id: number;
}

/** Characters of a name that a client typed. */
const MAX_TEXT = 200;

/**
 * The audit log. Rows are added and never changed; the database refuses updates, and
 * deletes of rows younger than 400 days.
 */
export class AuditLog {
  constructor(private readonly store: Store) {}

  /** Adds an entry inside the write of the action itself: both happen or neither. */
  append({ at, actor, way, network, action, subject, outcome }: AuditEntry): void {
    this.store
      .prepare(
        `INSERT INTO web_audit (at, actor, way, network, action, subject, outcome)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(at, actor.slice(0, MAX_TEXT), way, network, action, subject.slice(0, MAX_TEXT), outcome);
  }

  /** Adds an entry in a separate write. */
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
