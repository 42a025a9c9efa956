import { gunzipSync, gzipSync } from 'node:zlib';
import { evidenceSchema, type Evidence } from '../../evidence/index.js';
import { migrateStore, type Store, type TableSet } from '../../store/index.js';
import type { WebFailureCode } from '../failures.js';

/** The state of a check. `queued` and `running` checks continue after a restart. */
export type CheckState = 'queued' | 'running' | 'done' | 'failed';

/** One check that a visitor asked for. Times are milliseconds since 1970. */
export interface CheckRow {
  readonly id: string;
  /** The domain as A-labels, without a final dot. */
  readonly domain: string;
  readonly state: CheckState;
  readonly askedAt: number;
  readonly finishedAt?: number | undefined;
  /** The id of the earlier check that this check repeats. */
  readonly previous?: string | undefined;
  readonly failure?: WebFailureCode | undefined;
}

/**
 * The table of checks. The network of the client is deleted after two weeks, and the row
 * after the retention period.
 */
const migrations = [
  `CREATE TABLE web_check (
     id TEXT PRIMARY KEY,
     domain TEXT NOT NULL,
     state TEXT NOT NULL,
     asked_at BIGINT NOT NULL,
     finished_at BIGINT,
     client TEXT NOT NULL,
     previous TEXT,
     failure TEXT,
     evidence BLOB
   );
   CREATE INDEX web_check_domain ON web_check (domain, asked_at);
   CREATE INDEX web_check_state ON web_check (state, asked_at);`,
];

/** The tables of the check page. */
export const pagesTables: TableSet = { job: 'web', migrations };

/** The name of this part among the jobs that write. */
const WRITER = 'pages';
const CLIENT_KEPT_MS = 14 * 86_400_000;
const MAX_EVIDENCE = 64 * 1024 * 1024;

interface StoredRow {
  readonly id: string;
  readonly domain: string;
  readonly state: CheckState;
  readonly asked_at: number;
  readonly finished_at: number | null;
  readonly previous: string | null;
  readonly failure: WebFailureCode | null;
}

const columns = 'id, domain, state, asked_at, finished_at, previous, failure';

/** The table of checks. The promise of a write resolves when the row is durable. */
export class CheckTable {
  readonly #store: Store;

  constructor(stateStore: Store) {
    migrateStore(stateStore, pagesTables.job, migrations);
    this.#store = stateStore;
  }

  find(id: string): CheckRow | undefined {
    const row = this.#store
      .prepare<StoredRow>(`SELECT ${columns} FROM web_check WHERE id = ?`)
      .get(id);
    return row && fromStored(row);
  }

  /** Returns the newest finished check of a domain. */
  newest(domain: string): CheckRow | undefined {
    const row = this.#store
      .prepare<StoredRow>(
        `SELECT ${columns} FROM web_check WHERE domain = ? AND state = 'done'
         ORDER BY asked_at DESC LIMIT 1`,
      )
      .get(domain);
    return row && fromStored(row);
  }

  /** Returns the finished checks of a domain, newest first. */
  history(domain: string, limit: number): readonly CheckRow[] {
    return this.#store
      .prepare<StoredRow>(
        `SELECT ${columns} FROM web_check WHERE domain = ? AND state = 'done'
         ORDER BY asked_at DESC LIMIT ?`,
      )
      .all(domain, limit)
      .map(fromStored);
  }

  /** Returns the checks that an earlier process left unfinished, the oldest first. */
  unfinished(since: number, limit: number): readonly CheckRow[] {
    return this.#store
      .prepare<StoredRow>(
        `SELECT ${columns} FROM web_check WHERE state IN ('queued', 'running') AND asked_at >= ?
         ORDER BY asked_at LIMIT ?`,
      )
      .all(since, limit)
      .map(fromStored);
  }

  /**
   * Returns the evidence of a finished check; undefined if this version cannot read it.
   */
  evidence(id: string): Evidence | undefined {
    const row = this.#store
      .prepare<{ evidence: Uint8Array | null }>('SELECT evidence FROM web_check WHERE id = ?')
      .get(id);
    if (!row?.evidence) return undefined;
    const text = gunzipSync(row.evidence, { maxOutputLength: MAX_EVIDENCE }).toString('utf8');
    const parsed = evidenceSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  }

  /** Inserts a check. `client`: the network of the client, as it is saved. */
  insert(row: CheckRow, client: string): Promise<void> {
    const { id, domain, state, askedAt, previous = null } = row;
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare(
          'INSERT INTO web_check (id, domain, state, asked_at, client, previous) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(id, domain, state, askedAt, client, previous);
    });
  }

  finish(id: string, finishedAt: number, evidence: Evidence): Promise<void> {
    const body = gzipSync(JSON.stringify(evidence));
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare("UPDATE web_check SET state = 'done', finished_at = ?, evidence = ? WHERE id = ?")
        .run(finishedAt, body, id);
    });
  }

  fail(id: string, finishedAt: number, failure: WebFailureCode): Promise<void> {
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare("UPDATE web_check SET state = 'failed', finished_at = ?, failure = ? WHERE id = ?")
        .run(finishedAt, failure, id);
    });
  }

  /**
   * Deletes results after their retention time, and the networks of clients after two
   * weeks.
   */
  prune(now: number, keepDays: number): Promise<void> {
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare('DELETE FROM web_check WHERE asked_at < ?')
        .run(now - keepDays * 86_400_000);
      this.#store
        .prepare("UPDATE web_check SET client = '' WHERE asked_at < ? AND client <> ''")
        .run(now - CLIENT_KEPT_MS);
    });
  }
}

function fromStored({ id, domain, state, ...row }: StoredRow): CheckRow {
  return {
    id,
    domain,
    state,
    askedAt: row.asked_at,
    finishedAt: row.finished_at ?? undefined,
    previous: row.previous ?? undefined,
    failure: row.failure ?? undefined,
  };
}
