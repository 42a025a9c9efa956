import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool, PoolClient, QueryResult } from 'pg';
import type { from as CopyFrom } from 'pg-copy-streams';
import { scanError } from './failures.js';
import { isConnectionLoss, isRefusal, isRetryable } from './errors.js';
import { loadPackage } from './load-package.js';

/** A parameter value of a statement. JavaScript arrays become PostgreSQL arrays. */
export type StatementParameter =
  string | number | boolean | null | Date | Buffer | readonly unknown[];

/** An object that runs statements: the database itself, or one of its transactions. */
export interface Queries {
  /**
   * Runs one statement and returns its rows. The statement is prepared once for each
   * connection, so its text must not contain values.
   */
  query<Row extends object = Record<string, never>>(
    text: string,
    values?: readonly StatementParameter[],
  ): Promise<Row[]>;
}

/** One transaction: its statements, and COPY for many rows. */
export interface Transaction extends Queries {
  /** Writes rows with COPY. `target`: table and columns. Each row is one line of text. */
  copyIn(target: string, lines: AsyncIterable<string> | Iterable<string>): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://` address, or a folder with the socket of a local server. */
  readonly connection: string | { readonly socketFolder: string; readonly user: string };
  /** The maximum number of connections of this process. */
  readonly maxConnections?: number;
  /** Receives faults of idle connections, which no statement reports. */
  readonly onError?: (error: Error) => void;
}

/**
 * Maximum number of attempts for a statement or transaction that lost a deadlock or a
 * serialisation conflict.
 */
const MAX_ATTEMPTS = 6;
const CONNECT_TIMEOUT_MS = 10_000;
/**
 * Each session plans every statement once, so further sessions cost more time than they
 * save.
 */
const MAX_CONNECTIONS = 6;
/**
 * A new session plans all its statements again, which costs at least 10 ms of CPU time.
 */
const IDLE_TIMEOUT_MS = 300_000;
/**
 * Settings of every session. The statements take arrays of hundreds of keys and find the
 * rows by index. Planning for each array would cost more than reading its rows. A plan
 * made for an empty table must not read the whole table later.
 */
const SESSION = '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off';
/** OID of `bigint`, which pg returns as text by default. Counts stay below 2^53. */
const BIGINT_OID = 20;

/**
 * A pool of connections to PostgreSQL with prepared statements, transactions and COPY.
 *
 * Throws `scan-database-unreachable` if the first connection fails, and
 * `scan-database-failed` if the disk is full or a right is missing. Other failures are
 * errors of pg; `isConnectionLoss` recognises temporary errors.
 */
export class Database implements Queries {
  /** The pool, for graphile-worker. */
  readonly pool: Pool;
  readonly #copyFrom: typeof CopyFrom;

  private constructor(pool: Pool, copyFrom: typeof CopyFrom) {
    this.pool = pool;
    this.#copyFrom = copyFrom;
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const { connection, maxConnections = MAX_CONNECTIONS, onError = () => undefined } = options;
    const { default: pg } = await loadPackage('pg', () => import('pg'));
    const copy = await loadPackage('pg-copy-streams', () => import('pg-copy-streams'));
    const target =
      typeof connection === 'string'
        ? { connectionString: connection }
        : { host: connection.socketFolder, user: connection.user, database: 'postgres' };
    const pool = new pg.Pool({
      ...target,
      options: SESSION,
      max: maxConnections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      application_name: 'hermetic',
      // A worker never keeps a transaction open during network I/O.
      idle_in_transaction_session_timeout: 60_000,
      keepAlive: true,
      types: {
        getTypeParser: (oid: number, format?: 'text' | 'binary') =>
          oid === BIGINT_OID ? Number : (pg.types.getTypeParser(oid, format) as typeof String),
      },
    });
    pool.on('error', onError);
    pool.on('connect', (client) => client.on('error', onError));
    const database = new Database(pool, copy.from);
    try {
      await pool.query('SELECT 1');
    } catch (error) {
      await pool.end();
      throw scanError('scan-database-unreachable', (error as Error).message, error);
    }
    return database;
  }

  /**
   * Runs a statement and returns its rows. A statement that lost a deadlock had no
   * effect, so it runs again.
   */
  query<Row extends object>(
    text: string,
    values: readonly StatementParameter[] = [],
  ): Promise<Row[]> {
    return repeated(() => run<Row>(this.pool, text, values));
  }

  /** Runs one or more statements without values, to define tables. */
  async execute(text: string): Promise<void> {
    await this.pool.query(text);
  }

  /**
   * Runs `work` in a transaction. A transaction that lost a deadlock runs again, so
   * `work` has no other effects.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return repeated(() => this.#attempt(work));
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  async #attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const value = await work({
        query: (text, values = []) => run(client, text, values),
        copyIn: (target, lines) => this.#copyIn(client, target, lines),
      });
      await client.query('COMMIT');
      return value;
    } catch (error) {
      if (isConnectionLoss(error)) broken = error as Error;
      else await client.query('ROLLBACK').catch((failure: Error) => void (broken = failure));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  async #copyIn(
    client: PoolClient,
    target: string,
    lines: AsyncIterable<string> | Iterable<string>,
  ): Promise<void> {
    const stream = client.query(this.#copyFrom(`COPY ${target} FROM STDIN`));
    await pipeline(Readable.from(inBlocks(lines)), stream);
    if (!stream.closed) await once(stream, 'close');
  }
}

async function repeated<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++)
    try {
      return await attempt();
    } catch (error) {
      if (isRefusal(error))
        throw scanError('scan-database-failed', (error as Error).message, error);
      if (attempts >= MAX_ATTEMPTS || !isRetryable(error)) throw error;
    }
}

/** Number of octets of text that are sent to COPY at a time. */
const BLOCK = 64 * 1024;

async function* inBlocks(
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<Buffer, void> {
  let block = '';
  for await (const line of lines) {
    block += `${line}\n`;
    if (block.length < BLOCK) continue;
    yield Buffer.from(block);
    block = '';
  }
  if (block !== '') yield Buffer.from(block);
}

const statementNames = new Map<string, string>();

/** Returns the name under which a statement is prepared; it depends only on the text. */
function statementName(text: string): string {
  const known = statementNames.get(text);
  if (known !== undefined) return known;
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 24);
  statementNames.set(text, name);
  return name;
}

async function run<Row extends object>(
  target: Pool | PoolClient,
  text: string,
  values: readonly StatementParameter[],
): Promise<Row[]> {
  const config = { name: statementName(text), text, values: [...values] };
  const { rows }: QueryResult<Row> = await target.query<Row>(config);
  return rows;
}
