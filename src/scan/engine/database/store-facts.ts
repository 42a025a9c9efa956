import { createHash } from 'node:crypto';
import { BoundedMap, systemClock, type Clock } from '../../../base/index.js';
import type { Queries } from './database.js';

/** Facts as JSON. The database stores equal facts once, so facts contain no times. */
export type Facts = Readonly<Record<string, unknown>>;

/** Maximum number of digests with a cached row, at 100 octets each. */
const MAX_REMEMBERED = 100_000;
/**
 * Age limit of a cached row, much shorter than the retention of an unused row
 * (`retention.unusedDays`).
 */
const REMEMBERED_MS = 6 * 3_600_000;
/** Maximum number of rows whose content is cached for grading. */
const MAX_BODIES = 20_000;
/**
 * Maximum octets of these contents, as PostgreSQL stores them. Parsed, with the
 * certificates that the grades read, they take about five times as much.
 */
const MAX_BODY_OCTETS = 16_000_000;

interface StoredBody {
  readonly body: Facts;
  readonly octets: number;
}

/**
 * The facts that a scan stores, each distinct content once. A row remains for days after
 * its last use, so a worker can cache the row of a digest for hours.
 */
export class FactStore {
  readonly #database: Queries;
  readonly #clock: Pick<Clock, 'now'>;
  #rows = new BoundedMap<number>(MAX_REMEMBERED);
  #rememberedAt = -Infinity;
  readonly #bodies = new BoundedMap<StoredBody>(MAX_BODIES, {
    maximum: MAX_BODY_OCTETS,
    weigh: ({ octets }) => octets,
  });

  constructor(database: Queries, clock: Pick<Clock, 'now'> = systemClock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Stores facts and returns their rows, in the same order. Runs outside of any
   * transaction, because a row without references is harmless.
   */
  async save(facts: readonly object[]): Promise<number[]> {
    this.#forget();
    // Domains with one grade share the object.
    const texts = new Map([...new Set(facts)].map((body) => [body, digested(body)]));
    const given = facts.map((body) => texts.get(body) as DigestedFacts);
    const rows = new Map<string, number>();
    const missing = new Map<string, string>();
    for (const { digest, text } of given) {
      const row = this.#rows.get(digest);
      if (row === undefined) missing.set(digest, text);
      else rows.set(digest, row);
    }
    for (const { id, digest } of await this.#insert(missing)) {
      this.#rows.set(digest, id);
      rows.set(digest, id);
    }
    return given.map(({ digest }) => rows.get(digest) as number);
  }

  /** Returns the content of rows. */
  async load(rows: Iterable<number>): Promise<ReadonlyMap<number, Facts>> {
    const found = new Map<number, Facts>();
    const missing: number[] = [];
    for (const row of new Set(rows)) {
      const known = this.#bodies.get(String(row));
      if (known) found.set(row, known.body);
      else missing.push(row);
    }
    if (missing.length === 0) return found;
    for (const { id, body, octets } of await this.#database.query<StoredBody & { id: number }>(
      'SELECT id, body, pg_column_size(body) AS octets FROM hermetic_scan.fact WHERE id = ANY($1)',
      [missing],
    )) {
      this.#bodies.set(String(id), { body, octets });
      found.set(id, body);
    }
    return found;
  }

  /**
   * Empties the cache when its rows are old, or after a change of the clock, because the
   * times then prove nothing about the age of the rows.
   */
  #forget(): void {
    const now = this.#clock.now();
    if (Math.abs(now - this.#rememberedAt) < REMEMBERED_MS) return;
    this.#rows = new BoundedMap(MAX_REMEMBERED);
    this.#rememberedAt = now;
  }

  async #insert(missing: ReadonlyMap<string, string>): Promise<readonly FactRow[]> {
    if (missing.size === 0) return [];
    // Every worker inserts rows in the same order, so that two workers do not deadlock.
    const digests = [...missing.keys()].sort();
    const inserted = await this.#database.query<FactRow>(
      `INSERT INTO hermetic_scan.fact (digest, body)
        SELECT decode(digest, 'hex'), body FROM unnest($1::text[], $2::json[]) AS g (digest, body)
        ON CONFLICT (digest) DO NOTHING RETURNING id, encode(digest, 'hex') AS digest`,
      [digests, digests.map((digest) => missing.get(digest))],
    );
    if (inserted.length === digests.length) return inserted;
    const fresh = new Set(inserted.map(({ digest }) => digest));
    // A separate statement also sees the rows that another worker has just inserted.
    const known = await this.#database.query<FactRow & { readonly unused: boolean }>(
      `SELECT f.id, g.digest, f.unused_since IS NOT NULL AS unused
        FROM unnest($1::text[]) AS g (digest)
        JOIN hermetic_scan.fact f ON f.digest = decode(g.digest, 'hex')`,
      [digests.filter((digest) => !fresh.has(digest))],
    );
    const used = known.filter(({ unused }) => !unused);
    const reused = await this.#reuse(known.filter(({ unused }) => unused));
    const found = [...inserted, ...used, ...reused];
    if (found.length === digests.length) return found;
    // Another process deleted rows between two of these statements.
    const present = new Set(found.map(({ digest }) => digest));
    const deleted = [...missing].filter(([digest]) => !present.has(digest));
    return [...found, ...(await this.#insert(new Map(deleted)))];
  }

  /** Removes the deletion mark of rows, and returns the rows that still exist. */
  async #reuse(rows: readonly FactRow[]): Promise<readonly FactRow[]> {
    if (rows.length === 0) return [];
    const there = await this.#database.query<{ id: number }>(
      'UPDATE hermetic_scan.fact SET unused_since = NULL WHERE id = ANY($1) RETURNING id',
      [rows.map(({ id }) => id)],
    );
    const ids = new Set(there.map(({ id }) => id));
    return rows.filter(({ id }) => ids.has(id));
  }
}

interface DigestedFacts {
  readonly text: string;
  readonly digest: string;
}

function digested(body: object): DigestedFacts {
  const text = formatFacts(body);
  return { text, digest: createHash('sha256').update(text).digest('hex') };
}

interface FactRow {
  readonly id: number;
  readonly digest: string;
}

/**
 * Returns JSON with members in the order of their names, so that equal facts have equal
 * text. Peers can send NUL and lone surrogates, which PostgreSQL refuses in JSON.
 */
export function formatFacts(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'string') return member.replace(/\0|\p{Surrogate}/gu, '\ufffd');
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(
      Object.entries(member).sort(([a], [b]) => Number(a > b) - Number(a < b)),
    );
  });
}
