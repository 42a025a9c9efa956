import { createHash } from 'node:crypto';
import { BoundedMap } from '../../../base/index.js';
import type { Queries } from './database.js';

/** Facts as JSON. Equal facts are stored once, so they hold no times. */
export type Facts = Readonly<Record<string, unknown>>;

/** Digests whose row is remembered: 100 octets each. */
const MAX_REMEMBERED = 100_000;
/** Rows whose content is remembered for grading. */
const MAX_BODIES = 20_000;
/**
 * Octets of these contents as PostgreSQL stores them. Parsed, with the certificates that the
 * grades read, they take about five times as much.
 */
const MAX_BODY_OCTETS = 16_000_000;

interface StoredBody {
  readonly body: Facts;
  readonly octets: number;
}

/**
 * The facts that a scan stores, each distinct content once. Rows are never removed while
 * workers run, so the row of a digest can be remembered.
 */
export class FactStore {
  readonly #database: Queries;
  readonly #rows = new BoundedMap<number>(MAX_REMEMBERED);
  readonly #bodies = new BoundedMap<StoredBody>(MAX_BODIES, {
    maximum: MAX_BODY_OCTETS,
    weigh: ({ octets }) => octets,
  });

  constructor(database: Queries) {
    this.#database = database;
  }

  /**
   * Stores facts and returns their rows, in the same order. It runs outside of any
   * transaction: a row without references does no harm.
   */
  async save(facts: readonly Facts[]): Promise<number[]> {
    const given = facts.map((body) => {
      const text = formatFacts(body);
      return { text, digest: createHash('sha256').update(text).digest('hex') };
    });
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

  async #insert(missing: ReadonlyMap<string, string>): Promise<readonly FactRow[]> {
    if (missing.size === 0) return [];
    // In one order everywhere: two workers that insert the same rows would deadlock.
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
    const known = await this.#database.query<FactRow>(
      `SELECT f.id, g.digest FROM unnest($1::text[]) AS g (digest)
        JOIN hermetic_scan.fact f ON f.digest = decode(g.digest, 'hex')`,
      [digests.filter((digest) => !fresh.has(digest))],
    );
    return [...inserted, ...known];
  }
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
