import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { describeSystemError, parseDomain } from '../../../base/index.js';
import { copyLine } from '../database/copy-text.js';
import type { Database } from '../database/database.js';
import { scanError } from '../database/failures.js';

/**
 * Number of lines that one transaction stores. An interrupted load continues after the
 * last stored line.
 */
const CHUNK = 50_000;
/** Longest line that is read: a domain has at most 253 octets. */
const MAX_LINE = 1000;

export interface DomainList {
  readonly file: string;
  /** Name of the list in the database; another file with this name is refused. */
  readonly name: string;
  /** The citation of a published list, such as a Tranco list id. */
  readonly citedAs?: string | undefined;
}

export interface LoadedList {
  readonly id: number;
  readonly lines: number;
  /** Number of lines with content that is not a domain. */
  readonly refused: number;
}

/**
 * Stores a list of domains: one per line, or `rank,domain` as in the Tranco list. The
 * function skips lines that are empty or begin with `#`, and counts other lines without a
 * domain.
 *
 * A list that is stored already is not read again, and an interrupted load continues.
 * Throws `scan-list-differs` for another list of the same name, and `scan-list-invalid`
 * if no line holds a domain. Memory does not grow with the list.
 */
export async function loadList(
  database: Database,
  { file, name, citedAs = '' }: DomainList,
  onProgress: (lines: number) => void = () => undefined,
): Promise<LoadedList> {
  const digest = await digestOf(file);
  await database.query(
    `INSERT INTO hermetic_scan.list (name, source, cited_as, digest) VALUES ($1, $2, $3, $4)
      ON CONFLICT (name) DO NOTHING`,
    [name, file, citedAs, digest],
  );
  const stored = await listNamed(database, name);
  if (!stored.digest.equals(digest)) throw scanError('scan-list-differs', name);
  if (!stored.loaded) {
    let lines = 0;
    for await (const chunk of chunksOf(file)) {
      lines += chunk.length;
      if (lines <= stored.lines) continue;
      await storeChunk(database, stored.id, { lines, entries: chunk });
      onProgress(lines);
    }
    await database.query(
      `UPDATE hermetic_scan.list SET loaded = EXISTS (
        SELECT FROM hermetic_scan.list_domain WHERE list_id = id) WHERE id = $1`,
      [stored.id],
    );
    await database.execute('ANALYZE hermetic_scan.domain, hermetic_scan.list_domain');
  }
  const { id, lines, refused, loaded } = await listNamed(database, name);
  if (loaded) return { id, lines, refused };
  await database.query('DELETE FROM hermetic_scan.list WHERE id = $1', [id]);
  throw scanError('scan-list-invalid', `${file}: no line holds a domain`);
}

interface StoredList {
  readonly id: number;
  readonly digest: Buffer;
  readonly lines: number;
  readonly refused: number;
  readonly loaded: boolean;
}

async function listNamed(database: Database, name: string): Promise<StoredList> {
  const [row] = await database.query<StoredList>(
    'SELECT id, digest, lines, refused, loaded FROM hermetic_scan.list WHERE name = $1',
    [name],
  );
  if (!row) throw scanError('scan-list-invalid', `${name} was removed during the load`);
  return row;
}

async function digestOf(file: string): Promise<Buffer> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    const { message } = describeSystemError(error);
    throw scanError('scan-list-invalid', `${file}: ${message}`, error);
  }
  return hash.digest();
}

/** A line of the list: its rank, and its domain if it has one. */
export interface ListEntry {
  readonly rank: number;
  readonly domain: string | undefined;
}

async function* chunksOf(file: string): AsyncGenerator<readonly ListEntry[], void> {
  let chunk: ListEntry[] = [];
  let lineNumber = 0;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Infinity,
  })) {
    lineNumber++;
    const entry = parseListLine(line, lineNumber);
    if (entry) chunk.push(entry);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/**
 * Parses a line: `domain` or `rank,domain`. Without a rank, the line number is the rank.
 * Undefined for a line without content.
 */
export function parseListLine(line: string, lineNumber: number): ListEntry | undefined {
  const content = line.slice(0, MAX_LINE).trim();
  if (content === '' || content.startsWith('#')) return undefined;
  const [, rank, name = content] = /^(\d{1,9}),([^,]*)$/.exec(content) ?? [];
  const parsed = parseDomain(name);
  return {
    rank: rank === undefined ? lineNumber : Number(rank),
    domain: parsed.ok && parsed.value.toLower().includes('.') ? parsed.value.toLower() : undefined,
  };
}

async function storeChunk(
  database: Database,
  listId: number,
  { lines, entries }: { readonly lines: number; readonly entries: readonly ListEntry[] },
): Promise<void> {
  const rows = entries.flatMap(({ rank, domain }) =>
    domain === undefined
      ? []
      : [copyLine([rank, domain, domain.slice(domain.lastIndexOf('.') + 1)])],
  );
  await database.transaction(async (tx) => {
    await tx.query(
      'CREATE TEMPORARY TABLE incoming (rank int, name text COLLATE "C", tld text) ON COMMIT DROP',
    );
    await tx.copyIn('incoming (rank, name, tld)', rows);
    // This transaction reads a whole table without an index, unlike the transactions of
    // workers.
    await tx.query('SET LOCAL enable_seqscan = on');
    await tx.query('ANALYZE incoming');
    await tx.query(
      `INSERT INTO hermetic_scan.domain (name, tld)
        SELECT DISTINCT name, tld FROM incoming ORDER BY name ON CONFLICT (name) DO NOTHING`,
    );
    await tx.query(
      `INSERT INTO hermetic_scan.list_domain (list_id, domain_id, rank)
        SELECT $1, d.id, min(i.rank) FROM incoming i JOIN hermetic_scan.domain d USING (name)
        GROUP BY d.id ON CONFLICT (list_id, domain_id) DO NOTHING`,
      [listId],
    );
    await tx.query(
      'UPDATE hermetic_scan.list SET lines = $2, refused = refused + $3 WHERE id = $1',
      [listId, lines, entries.length - rows.length],
    );
  });
}
