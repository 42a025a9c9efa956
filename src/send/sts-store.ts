import { steadyTime, systemClock } from '../base/index.js';
import {
  expiresAt,
  GRACE,
  refreshAt,
  reopened,
  usefulness,
  type StsCache,
  type StsEntry,
  type CachedPolicy,
  type FailedFetches,
} from '../mta-sts/index.js';
import { migrate, type Store } from '../store/index.js';

export interface StsStoreOptions {
  /** Domains kept at most. Default 200 000. */
  readonly limit?: number;
  /** Milliseconds since 1970, moved by no correction of the clock. */
  now?(): number;
}

const migrations = [
  `CREATE TABLE send_sts_policy (
     domain TEXT PRIMARY KEY,
     id TEXT, mode TEXT, mx TEXT, max_age INTEGER, body TEXT, fetched_at INTEGER,
     failed TEXT,
     used_at INTEGER NOT NULL,
     expires_at INTEGER,
     refresh_at INTEGER,
     worth INTEGER NOT NULL
   );
   CREATE INDEX send_sts_policy_refresh ON send_sts_policy (refresh_at);
   CREATE INDEX send_sts_policy_worth ON send_sts_policy (worth, used_at);`,
];

interface Row {
  readonly domain: string;
  readonly id: string | null;
  readonly mode: CachedPolicy['mode'] | null;
  readonly mx: string;
  readonly max_age: number;
  readonly body: string;
  readonly fetched_at: number;
  readonly failed: string | null;
  readonly used_at: number;
}

const columns = 'domain, id, mode, mx, max_age, body, fetched_at, failed, used_at';

/**
 * The policy cache in the database: it outlives crashes and power cuts, and at each opening makes good what a wrong clock or a long sleep would take
 * away (see `reopened`). A full one gives up what is least useful.
 */
export function stsStore(store: Store, options: StsStoreOptions = {}): StsCache {
  const { limit = 200_000, now = steadyTime(systemClock) } = options;
  migrate(store, 'send', migrations);
  const get = store.prepare<Row>(`SELECT ${columns} FROM send_sts_policy WHERE domain = ?`);
  const remove = store.prepare('DELETE FROM send_sts_policy WHERE domain = ?');
  const insert = store.prepare(
    `INSERT INTO send_sts_policy (${columns}, expires_at, refresh_at, worth) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (domain) DO UPDATE SET id = excluded.id, mode = excluded.mode, mx = excluded.mx, max_age = excluded.max_age, body = excluded.body,
       fetched_at = excluded.fetched_at, failed = excluded.failed, used_at = excluded.used_at, expires_at = excluded.expires_at,
       refresh_at = excluded.refresh_at, worth = excluded.worth`,
  );
  const due = store.prepare<Row>(
    `SELECT ${columns} FROM send_sts_policy WHERE refresh_at <= ? ORDER BY refresh_at LIMIT ?`,
  );
  const counted = store.prepare<{ n: number }>('SELECT count(*) AS n FROM send_sts_policy');
  const count = (): number => counted.get()?.n ?? 0;

  const write = (entry: StsEntry): void => {
    const { domain, policy, failed, usedAt } = entry;
    insert.run(
      domain,
      policy?.id ?? null,
      policy?.mode ?? null,
      JSON.stringify(policy?.mx ?? []),
      policy?.maxAge ?? 0,
      policy?.body ?? '',
      policy?.fetchedAt ?? 0,
      failed ? JSON.stringify(failed) : null,
      usedAt,
      policy ? expiresAt(policy) : null,
      refreshAt(entry) ?? null,
      // Without the use, which is a column of its own, and as if in force: what has run out is given up before.
      policy ? Math.trunc(usefulness({ ...entry, usedAt: 0 }, policy.fetchedAt) / 1e14) : 0,
    );
  };

  /** What ran out goes first, then what is worth least; a tenth at once, so that a full cache does not do this for every entry. */
  const makeRoom = (): void => {
    store.prepare('DELETE FROM send_sts_policy WHERE expires_at <= ?').run(now());
    const over = count() - Math.floor(limit * 0.9);
    if (over > 0)
      store
        .prepare(
          'DELETE FROM send_sts_policy WHERE domain IN (SELECT domain FROM send_sts_policy ORDER BY worth, used_at LIMIT ?)',
        )
        .run(over);
  };

  store.transaction(() => {
    const at = now();
    const doubtful = store
      .prepare<Row>(
        `SELECT ${columns} FROM send_sts_policy WHERE expires_at IS NULL OR expires_at < ? OR fetched_at > ? OR used_at > ?`,
      )
      .all(at + GRACE, at, at);
    for (const row of doubtful) {
      const entry = reopened(entryOf(row), at);
      if (entry) write(entry);
      else remove.run(row.domain);
    }
  });
  let size = count();

  return {
    get: (domain) => {
      const row = get.get(domain);
      return row && entryOf(row);
    },
    put(entry) {
      store.transaction(() => {
        if (!get.get(entry.domain)) size++;
        write(entry);
        if (size <= limit) return;
        makeRoom();
        size = count();
      });
    },
    delete(domain) {
      size -= remove.run(domain);
    },
    due: (until, most) => due.all(until, most).map(entryOf),
    get size() {
      return size;
    },
  };
}

function entryOf(row: Row): StsEntry {
  const {
    domain,
    id,
    mode,
    mx,
    max_age: maxAge,
    body,
    fetched_at: fetchedAt,
    failed,
    used_at: usedAt,
  } = row;
  return {
    domain,
    ...(id !== null && mode !== null
      ? { policy: { id, mode, mx: JSON.parse(mx) as readonly string[], maxAge, body, fetchedAt } }
      : {}),
    ...(failed === null ? {} : { failed: JSON.parse(failed) as FailedFetches }),
    usedAt,
  };
}
