import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { checkResultSchema, type CheckResult } from '../../evidence/index.js';
import type { Store, TableSet } from '../../store/index.js';

/**
 * The results of checks over time. `at` is the time of the check, milliseconds since 1970;
 * `digest` identifies verdict and findings, so that an unchanged domain needs one row a day.
 */
const migrations = [
  `CREATE TABLE check_history (
     domain TEXT NOT NULL,
     at BIGINT NOT NULL,
     verdict TEXT NOT NULL,
     digest TEXT NOT NULL,
     result BLOB NOT NULL,
     PRIMARY KEY (domain, at)
   );
   CREATE INDEX check_history_at ON check_history (at);`,
];

/** The table of the history. */
export const historyTables: TableSet = { job: 'history', migrations };

const DAY = 86_400_000;
/** Days that a result stays in the database. */
export const HISTORY_DAYS = 400;
/** Maximum octets of one result, unpacked. */
const MAX_RESULT = 16 * 1024 * 1024;

/**
 * Stores a result inside a write transaction of the store, and deletes expired results. A
 * result with the same verdict and findings as the last stored result is stored once a
 * day. `now`: milliseconds since 1970.
 */
export function recordHistory(stateStore: Store, checkResult: CheckResult, now: number): void {
  const { domain, verdict, findings } = checkResult;
  const facts = findings.map(({ id, severity, subject }) => `${id} ${severity} ${subject}`).sort();
  const digest = createHash('sha256').update(facts.join('\n')).digest('hex');
  const last = stateStore
    .prepare<{ at: number; verdict: string; digest: string }>(
      'SELECT at, verdict, digest FROM check_history WHERE domain = ? ORDER BY at DESC LIMIT 1',
    )
    .get(domain);
  const isSame = last?.verdict === verdict && last.digest === digest;
  // After a clock was set back, the date of the last row can be in the future.
  if (isSame && Math.abs(now - last.at) < DAY) return;
  stateStore
    .prepare(
      `INSERT INTO check_history (domain, at, verdict, digest, result) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (domain, at) DO NOTHING`,
    )
    .run(domain, now, verdict, digest, gzipSync(JSON.stringify(checkResult)));
  stateStore.prepare('DELETE FROM check_history WHERE at < ?').run(now - HISTORY_DAYS * DAY);
}

/** The results to read. */
export interface HistoryFilter {
  /** The domain in A-labels without a final dot. Default: every domain. */
  readonly domain?: string | undefined;
  /** The time of the earliest check to read, milliseconds since 1970. */
  readonly since?: number | undefined;
}

/**
 * Reads stored results one by one, by domain and then oldest first. A result that another
 * version of Hermetic stored and this version cannot read is left out.
 */
export function* readHistory(
  stateStore: Store,
  { domain, since = 0 }: HistoryFilter = {},
): Generator<CheckResult> {
  const domains = stateStore
    .prepare<{ domain: string }>('SELECT DISTINCT domain FROM check_history ORDER BY domain')
    .all()
    .map((row) => row.domain)
    .filter((name) => domain === undefined || name === domain);
  const times = stateStore.prepare<{ at: number }>(
    'SELECT at FROM check_history WHERE domain = ? AND at >= ? ORDER BY at',
  );
  const one = stateStore.prepare<{ result: Uint8Array }>(
    'SELECT result FROM check_history WHERE domain = ? AND at = ?',
  );
  for (const name of domains)
    for (const { at } of times.all(name, since)) {
      const row = one.get(name, at);
      const parsed = row && checkResultSchema.safeParse(unpack(row.result));
      if (parsed?.success === true) yield parsed.data;
    }
}

function unpack(result: Uint8Array): unknown {
  return JSON.parse(gunzipSync(result, { maxOutputLength: MAX_RESULT }).toString('utf8'));
}
