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
import { migrateStore, type Statement, type Store, type TableSet } from '../store/index.js';

/** Limits and callbacks of a stored policy cache. */
export interface StsStoreOptions {
  /** Maximum number of cached domains. Default 200 000. */
  readonly limit?: number;
  /** Returns milliseconds since 1970, unaffected by corrections of the wall clock. */
  now?(): number;
  /**
   * Receives the first error of each period in which the database cannot be read.
   * `Store.writes` shows failing writes.
   */
  onReadFailure?(error: Error): void;
}

/** The job name under which the policy cache writes to the store. */
export const POLICY_CACHE = 'policy-cache';

/**
 * Maximum time in milliseconds that a caller waits until its policy is on the disk. After
 * this time the caller continues with the policy in memory.
 */
const SAVE_WAIT = 200;
/** Maximum number of entries in one transaction. */
const SAVED_AT_ONCE = 200;
/** Limits of the unsaved entries in memory while the database cannot be written. */
const MAX_UNSAVED = { entries: 10_000, octets: 32 * 1024 * 1024 };

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
  'CREATE TABLE send_sts_forgotten (domain TEXT PRIMARY KEY, fetched_at BIGINT NOT NULL, revision BIGINT NOT NULL);',
];

/** The table set of the policy cache. */
export const policyTables: TableSet = { job: 'send', migrations };

/**
 * Removes the cached policy of a domain for every process that uses the database. The
 * policy remains removed, even if another process still has it in memory and saves it
 * later. Returns the removed policy.
 */
export function forgetPolicy(stateStore: Store, domainName: string): CachedPolicy | undefined {
  migrateStore(stateStore, policyTables.job, migrations);
  return stateStore.transaction(() => {
    const rows = new Rows(stateStore);
    const stsEntry = rows.get(domainName);
    rows.remove(domainName);
    rows.forget(domainName, stsEntry?.policy?.fetchedAt ?? 0);
    return stsEntry?.policy;
  });
}

/** Returns a number that each {@link forgetPolicy}, in any process, increases. */
export function forgottenRevision(stateStore: Store): number {
  migrateStore(stateStore, policyTables.job, migrations);
  return new Rows(stateStore).lastForgotten();
}

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
 * Returns a policy cache in the database, which survives crashes and power failures. When
 * the cache is opened, it restores entries that a wrong clock or a long suspension would
 * expire (see `reopened`). A full cache drops the least useful entry.
 *
 * A policy applies from the moment of its fetch, whether or not it can be stored (RFC
 * 8461 §3.3, §5.1): an unsaved entry is read from memory, and saved with the next entry
 * or the next search for due entries. No method throws, and `put` never rejects.
 */
export function stsStore(stateStore: Store, options: StsStoreOptions = {}): StsCache {
  migrateStore(stateStore, policyTables.job, migrations);
  return new StoredPolicies(stateStore, options);
}

class StoredPolicies implements StsCache {
  readonly #store: Store;
  readonly #limit: number;
  readonly #now: () => number;
  readonly #onReadFailure: ((error: Error) => void) | undefined;
  readonly #rows: Rows;
  /** Unwritten changes by domain: the new entry, or undefined for a deletion. */
  readonly #unsaved = new Map<string, StsEntry | undefined>();
  #octets = 0;
  #saving: Promise<void> | undefined;
  /**
   * The time at which the cache was opened; undefined after the rows have been adjusted
   * to this time.
   */
  #openedAt: number | undefined;
  #unreadable = false;
  #saved: number;
  /**
   * The time at which the cache was opened, and the revision of the last removal before
   * that time.
   */
  readonly #opened: { readonly at: number; readonly revision: number };

  constructor(stateStore: Store, { limit = 200_000, now, onReadFailure }: StsStoreOptions) {
    this.#store = stateStore;
    this.#limit = limit;
    this.#now = now ?? steadyTime(systemClock);
    this.#onReadFailure = onReadFailure;
    this.#rows = new Rows(stateStore);
    this.#openedAt = this.#now();
    this.#opened = {
      at: this.#openedAt,
      revision: this.#read(() => this.#rows.lastForgotten(), 0),
    };
    this.#saved = this.#read(() => this.#rows.count(), 0);
    const openedAt = this.#openedAt;
    if (this.#read(() => this.#rows.doubtful(openedAt, '', 1).length, 1) > 0) void this.#save();
    else this.#openedAt = undefined;
  }

  get(domainName: string): StsEntry | undefined {
    if (this.#unsaved.has(domainName)) return this.#counting(this.#unsaved.get(domainName));
    return this.#read(() => {
      const stsEntry = this.#counting(this.#rows.get(domainName));
      return stsEntry && this.#upToDate(stsEntry);
    }, undefined);
  }

  /**
   * Returns the entry; undefined if the operator removed the policy of the domain after
   * this fetch. If the removal precedes the opening of the cache, a fetch time in the
   * future is reduced to the time of the opening (see `reopened`). Otherwise the policies
   * of later fetches would also be treated as removed.
   */
  #counting(stsEntry: StsEntry | undefined): StsEntry | undefined {
    if (!stsEntry?.policy) return stsEntry;
    const forgotten = this.#read(() => this.#rows.forgotten(stsEntry.domain), undefined);
    if (!forgotten) return stsEntry;
    const { at, revision } = this.#opened;
    const limit = forgotten.revision <= revision ? at : Infinity;
    const { fetchedAt } = stsEntry.policy;
    const isOld = fetchedAt <= limit || fetchedAt > this.#now();
    return isOld && fetchedAt <= forgotten.fetchedAt ? undefined : stsEntry;
  }

  put(stsEntry: StsEntry): Promise<void> {
    this.#keep(stsEntry.domain, stsEntry);
    return this.#saveSoon();
  }

  delete(domainName: string): Promise<void> {
    this.#keep(domainName, undefined);
    return this.#saveSoon();
  }

  due(until: number, most: number): readonly StsEntry[] {
    if (this.#unsaved.size > 0 || this.#openedAt !== undefined) void this.#save();
    const waiting = [...this.#unsaved.values()].filter((stsEntry) => stsEntry !== undefined);
    const stored = this.#read(() => this.#rows.due(until, most), [])
      .filter(({ domain }) => !this.#unsaved.has(domain))
      .flatMap((stsEntry) => this.#upToDate(stsEntry) ?? []);
    return [...stored, ...waiting]
      .map((stsEntry) => ({ entry: stsEntry, at: refreshAt(stsEntry) ?? Infinity }))
      .filter(({ at }) => at <= until)
      .sort((left, right) => left.at - right.at)
      .slice(0, most)
      .map(({ entry }) => entry);
  }

  get size(): number {
    let size = this.#saved;
    for (const [domainName, stsEntry] of this.#unsaved) {
      const known = this.#read(() => this.#rows.get(domainName) !== undefined, false);
      size += Number(stsEntry !== undefined) - Number(known);
    }
    return size;
  }

  #upToDate(stsEntry: StsEntry): StsEntry | undefined {
    return this.#openedAt === undefined ? stsEntry : reopened(stsEntry, this.#openedAt);
  }

  #keep(domainName: string, stsEntry: StsEntry | undefined): void {
    this.#forget(domainName);
    this.#unsaved.set(domainName, stsEntry);
    this.#octets += octetsOf(stsEntry);
    if (this.#unsaved.size > MAX_UNSAVED.entries || this.#octets > MAX_UNSAVED.octets)
      this.#giveUp();
  }

  #forget(domainName: string): void {
    this.#octets -= octetsOf(this.#unsaved.get(domainName));
    this.#unsaved.delete(domainName);
  }

  /** Drops the least useful tenth of the unsaved changes, deletions first. */
  #giveUp(): void {
    const now = this.#now();
    const worth = (stsEntry: StsEntry | undefined): number =>
      stsEntry ? usefulness(stsEntry, now) : -1;
    const ranked = [...this.#unsaved].sort(([, stsEntry], [, b]) => worth(stsEntry) - worth(b));
    for (const [domainName] of ranked.slice(0, Math.ceil(ranked.length / 10)))
      this.#forget(domainName);
  }

  async #saveSoon(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const excess = new Promise<void>((resolve) => (timer = setTimeout(resolve, SAVE_WAIT)));
    await Promise.race([this.#save(), excess]);
    clearTimeout(timer);
  }

  /** Writes all queued entries. Never rejects: unwritten entries stay queued. */
  #save(): Promise<void> {
    this.#saving ??= this.#writeAll()
      .catch(() => undefined)
      .finally(() => (this.#saving = undefined));
    return this.#saving;
  }

  async #writeAll(): Promise<void> {
    if (this.#openedAt !== undefined) await this.#reopen(this.#openedAt);
    while (this.#unsaved.size > 0) {
      let group: (readonly [string, StsEntry | undefined])[] = [];
      this.#saved = await this.#store.write(POLICY_CACHE, () => {
        group = [...this.#unsaved].slice(0, SAVED_AT_ONCE);
        let saved = this.#saved;
        for (const [domainName, stsEntry] of group)
          if (stsEntry) saved += this.#rows.put(stsEntry);
          else saved -= this.#rows.remove(domainName);
        if (saved <= this.#limit) return saved;
        this.#rows.makeRoom(this.#limit, this.#now());
        return this.#rows.count();
      });
      for (const [domainName, stsEntry] of group)
        if (this.#unsaved.get(domainName) === stsEntry) this.#forget(domainName);
    }
  }

  async #reopen(openedAt: number): Promise<void> {
    const rows = this.#rows;
    await this.#store.write(POLICY_CACHE, function* () {
      for (let after = ''; ; yield) {
        const group = rows.doubtful(openedAt, after, SAVED_AT_ONCE);
        for (const storedEntry of group) {
          const stsEntry = reopened(storedEntry, openedAt);
          if (stsEntry) rows.put(stsEntry);
          else rows.remove(storedEntry.domain);
        }
        const last = group.at(-1);
        if (!last) return;
        after = last.domain;
      }
    });
    this.#openedAt = undefined;
    this.#saved = this.#read(() => this.#rows.count(), this.#saved);
  }

  #read<T>(read: () => T, otherwise: T): T {
    try {
      const found = read();
      this.#unreadable = false;
      return found;
    } catch (error) {
      if (!this.#unreadable) this.#onReadFailure?.(error as Error);
      this.#unreadable = true;
      return otherwise;
    }
  }
}

function octetsOf(stsEntry: StsEntry | undefined): number {
  return stsEntry?.policy ? 2 * stsEntry.policy.body.length : 0;
}

/** The policy of a domain that the operator removed. */
interface ForgottenPolicy {
  readonly fetchedAt: number;
  readonly revision: number;
}

/** The table of policies, read and written as entries. */
class Rows {
  constructor(private readonly store: Store) {}

  get(domainName: string): StsEntry | undefined {
    const row = this.#prepare(`SELECT ${columns} FROM send_sts_policy WHERE domain = ?`).get(
      domainName,
    );
    return row && entryOf(row);
  }

  /** Returns the number of rows added. */
  put(stsEntry: StsEntry): number {
    const { domain, policy: cachedPolicy, failed, usedAt } = stsEntry;
    const known = this.store.prepare('SELECT 1 FROM send_sts_policy WHERE domain = ?').get(domain);
    this.store
      .prepare(
        `INSERT INTO send_sts_policy (${columns}, expires_at, refresh_at, worth) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (domain) DO UPDATE SET id = excluded.id, mode = excluded.mode, mx = excluded.mx, max_age = excluded.max_age, body = excluded.body,
           fetched_at = excluded.fetched_at, failed = excluded.failed, used_at = excluded.used_at, expires_at = excluded.expires_at,
           refresh_at = excluded.refresh_at, worth = excluded.worth`,
      )
      .run(
        domain,
        cachedPolicy?.id ?? null,
        cachedPolicy?.mode ?? null,
        JSON.stringify(cachedPolicy?.mx ?? []),
        cachedPolicy?.maxAge ?? 0,
        cachedPolicy?.body ?? '',
        cachedPolicy?.fetchedAt ?? 0,
        failed ? JSON.stringify(failed) : null,
        usedAt,
        cachedPolicy ? expiresAt(cachedPolicy) : null,
        refreshAt(stsEntry) ?? null,
        // The stored usefulness is that at the time of the fetch. The last use has a
        // separate column, and expired policies are deleted before entries are ranked.
        cachedPolicy
          ? Math.trunc(usefulness({ ...stsEntry, usedAt: 0 }, cachedPolicy.fetchedAt) / 1e14)
          : 0,
      );
    return known ? 0 : 1;
  }

  /** Returns the number of rows removed. */
  remove(domainName: string): number {
    return this.store.prepare('DELETE FROM send_sts_policy WHERE domain = ?').run(domainName);
  }

  /**
   * Returns the fetch time of the policy of a removed domain. The fetch time, not the
   * time of the removal, is compared, because the clocks of two processes may differ.
   */
  forgotten(domainName: string): ForgottenPolicy | undefined {
    const query =
      'SELECT fetched_at AS "fetchedAt", revision FROM send_sts_forgotten WHERE domain = ?';
    return this.store.prepare<ForgottenPolicy>(query).get(domainName);
  }

  lastForgotten(): number {
    const query = 'SELECT max(revision) AS revision FROM send_sts_forgotten';
    return this.store.prepare<{ revision: number | null }>(query).get()?.revision ?? 0;
  }

  forget(domainName: string, fetchedAt: number): void {
    this.store
      .prepare(
        `INSERT INTO send_sts_forgotten (domain, fetched_at, revision) VALUES (?, ?, ?)
         ON CONFLICT (domain) DO UPDATE SET fetched_at = max(fetched_at, excluded.fetched_at), revision = excluded.revision`,
      )
      .run(domainName, fetchedAt, this.lastForgotten() + 1);
  }

  count(): number {
    const counted = 'SELECT count(*) AS n FROM send_sts_policy';
    return this.store.prepare<{ n: number }>(counted).get()?.n ?? 0;
  }

  due(until: number, most: number): readonly StsEntry[] {
    return this.#prepare(
      `SELECT ${columns} FROM send_sts_policy WHERE refresh_at <= ? ORDER BY refresh_at LIMIT ?`,
    )
      .all(until, most)
      .map(entryOf);
  }

  /**
   * Returns entries that may have expired because of a wrong clock or a long sleep, by
   * domain.
   */
  doubtful(openedAt: number, after: string, most: number): readonly StsEntry[] {
    return this.#prepare(
      `SELECT ${columns} FROM send_sts_policy
       WHERE (expires_at IS NULL OR expires_at < ? OR fetched_at > ? OR used_at > ?) AND domain > ?
       ORDER BY domain LIMIT ?`,
    )
      .all(openedAt + GRACE, openedAt, openedAt, after, most)
      .map(entryOf);
  }

  /**
   * Deletes expired entries, then the least useful entries. A tenth of the cache is
   * deleted at once, so that a full cache does not delete for every new entry.
   */
  makeRoom(limit: number, now: number): void {
    this.store.prepare('DELETE FROM send_sts_policy WHERE expires_at <= ?').run(now);
    const excess = this.count() - Math.floor(limit * 0.9);
    if (excess > 0)
      this.store
        .prepare(
          'DELETE FROM send_sts_policy WHERE domain IN (SELECT domain FROM send_sts_policy ORDER BY worth, used_at LIMIT ?)',
        )
        .run(excess);
  }

  #prepare(sql: string): Statement<Row> {
    return this.store.prepare<Row>(sql);
  }
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
  const entry: { -readonly [Field in keyof StsEntry]: StsEntry[Field] } = { domain, usedAt };
  if (id !== null && mode !== null) {
    const patterns = JSON.parse(mx) as readonly string[];
    entry.policy = { id, mode, mx: patterns, maxAge, body, fetchedAt };
  }
  if (failed !== null) entry.failed = JSON.parse(failed) as FailedFetches;
  return entry;
}
