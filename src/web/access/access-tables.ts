import { migrateStore, type Store, type TableSet } from '../../store/index.js';

/** The name of this part among the jobs that write. */
export const ACCESS_WRITER = 'pages';

/** Number of days for which a line of the audit log cannot be deleted. */
export const AUDIT_DAYS = 400;

/**
 * The tables of accounts, sessions, tokens and the audit log. Times are milliseconds
 * since 1970; `customers` and `scopes` are JSON, and an empty `customers` column means
 * all domains. Secrets are stored as hashes: scrypt for passwords, SHA-256 for random
 * values.
 */
const migrations = [
  `CREATE TABLE web_user (
     name TEXT PRIMARY KEY,
     password TEXT NOT NULL,
     role TEXT NOT NULL,
     customers TEXT,
     created_at BIGINT NOT NULL,
     changed_at BIGINT NOT NULL
   );
   CREATE TABLE web_session (
     digest TEXT PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     way TEXT NOT NULL,
     role TEXT NOT NULL,
     customers TEXT,
     network TEXT NOT NULL,
     agent TEXT NOT NULL,
     created_at BIGINT NOT NULL,
     seen_at BIGINT NOT NULL
   );
   CREATE INDEX web_session_name ON web_session (name);
   CREATE TABLE web_token (
     digest TEXT PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     label TEXT NOT NULL,
     owner TEXT NOT NULL,
     way TEXT NOT NULL,
     role TEXT NOT NULL,
     customers TEXT,
     scopes TEXT NOT NULL,
     created_at BIGINT NOT NULL,
     ends_at BIGINT NOT NULL,
     used_at BIGINT
   );
   CREATE TABLE web_audit (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     at BIGINT NOT NULL,
     actor TEXT NOT NULL,
     way TEXT NOT NULL,
     network TEXT NOT NULL,
     action TEXT NOT NULL,
     subject TEXT NOT NULL,
     outcome TEXT NOT NULL
   );
   CREATE TRIGGER web_audit_unchanged BEFORE UPDATE ON web_audit
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
   CREATE TRIGGER web_audit_kept BEFORE DELETE ON web_audit
     WHEN OLD.at > (CAST(strftime('%s', 'now') AS INTEGER) - ${AUDIT_DAYS} * 86400) * 1000
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;`,
  // The time at which a provider last confirmed the rights. For sessions and tokens of an
  // earlier version it is 0, so the provider must confirm them at the next use.
  `ALTER TABLE web_session ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;
   ALTER TABLE web_token ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;`,
  // The account and the session at the provider, by which the provider names the sessions
  // to end.
  `ALTER TABLE web_session ADD COLUMN subject TEXT;
   ALTER TABLE web_session ADD COLUMN provider_session TEXT;`,
];

/** The tables of accounts, sessions and the audit log. */
export const accessTables: TableSet = { job: 'web-access', migrations };

/** Creates missing tables and migrates older ones. */
export function prepareAccess(stateStore: Store): void {
  migrateStore(stateStore, accessTables.job, migrations);
}

/** Returns the JSON of a list; null for undefined. */
export function listColumn(list: readonly string[] | undefined): string | null {
  return list === undefined ? null : JSON.stringify(list);
}

/** Returns the list of a column that {@link listColumn} wrote. */
export function columnList(text: string | null): readonly string[] | undefined {
  return text === null ? undefined : (JSON.parse(text) as readonly string[]);
}
