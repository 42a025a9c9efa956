import { migrateStore, type Store, type TableSet, type Value } from '../../store/index.js';
import { lastingWrite, type LastingWrite } from '../ledger/lasting-write.js';
import {
  accountKeyName,
  MAX_WAIT,
  type AccountRecord,
  type AccountStore,
  type OpenOrder,
  type OrderStore,
  type RenewalWindow,
} from '../../acme/index.js';

/**
 * The facts about a CA that must survive a crash between two requests. A change is
 * durable when its promise resolves; it waits for the lock of another process. All times
 * are milliseconds since 1970.
 */
export interface AcmeStore extends AccountStore, OrderStore {
  closeOrder(hostName: string, storeKey: string): Promise<void>;
  renewal(hostName: string, storeKey: string): RenewalState | undefined;
  saveRenewal(hostName: string, storeKey: string, renewal: RenewalState): Promise<void>;
  /**
   * Returns the time before which no request is sent for a subject: `*` for the whole CA,
   * or a host at the CA. 0: there is no pause. A pause beyond the maximum was saved while
   * the clock was ahead, and is ignored.
   */
  pausedUntil(directory: string, subject: string, now: number): number;
  pause(directory: string, subject: string, until: number): Promise<void>;
  /** Returns the number of failed validations of a host in a row. */
  failures(directory: string, hostName: string): number;
  saveFailures(directory: string, hostName: string, count: number): Promise<void>;
  /**
   * Claims a key for one process, or extends its claim. Resolves with false while another
   * process holds the claim. A claim that lasts longer than the new claim was made before
   * the clock was set back, and is ignored.
   */
  claim(keyClaim: KeyClaim, now: number): Promise<boolean>;
  /** Ends the claim of this holder. The claim of another holder remains. */
  release(claim: Omit<KeyClaim, 'until'>): Promise<void>;
}

/** The exclusive right of one process to obtain a certificate for a key. */
export interface KeyClaim {
  readonly host: string;
  readonly key: string;
  /** A random identifier that only this process uses. */
  readonly holder: string;
  readonly until: number;
}

/**
 * The renewal state of the certificate in use. Plain JSON; the member names are the
 * stored format.
 */
export interface RenewalState {
  readonly directory: string;
  /**
   * ACME identifier of the certificate (RFC 9773 §4.1); missing if the certificate has no
   * authority key identifier, so that its CA cannot be queried.
   */
  readonly certificateId?: string | undefined;
  /** The position in a renewal window, from 0 up to but not including 1, drawn once. */
  readonly draw: number;
  readonly window?: RenewalWindow | undefined;
  /** The time of the next request to the CA. */
  readonly askAgain: number;
  /** Failed requests in a row. */
  readonly tries?: number | undefined;
  /** A page on which the CA explains its window. */
  readonly explanation?: string | undefined;
}

const migrations = [
  `CREATE TABLE acme_account (directory TEXT PRIMARY KEY, url TEXT NOT NULL);
   CREATE TABLE acme_order (host TEXT NOT NULL, key TEXT NOT NULL, directory TEXT NOT NULL, url TEXT, PRIMARY KEY (host, key));
   CREATE INDEX acme_order_url ON acme_order (url);
   CREATE TABLE acme_renewal (host TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (host, key));
   CREATE TABLE acme_pause (directory TEXT NOT NULL, subject TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (directory, subject));
   CREATE TABLE acme_failures (directory TEXT NOT NULL, host TEXT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (directory, host));`,
  `CREATE TABLE acme_claim (host TEXT NOT NULL, key TEXT NOT NULL, holder TEXT NOT NULL, until BIGINT NOT NULL, PRIMARY KEY (host, key));`,
  `ALTER TABLE acme_order ADD COLUMN names TEXT NOT NULL DEFAULT '';
   ALTER TABLE acme_account ADD COLUMN key TEXT;
   ALTER TABLE acme_account ADD COLUMN next TEXT;`,
];

/** The tables of the ACME store. */
export const acmeTables: TableSet = { job: 'acme', migrations };

/**
 * Opens the ACME store in a database that other jobs use too. The signal ends the wait for
 * the lock of another process.
 */
export function openAcmeStore(stateStore: Store, signal?: AbortSignal): AcmeStore {
  migrateStore(stateStore, acmeTables.job, migrations);
  return new SqlAcmeStore(stateStore, lastingWrite(stateStore, signal));
}

class SqlAcmeStore implements AcmeStore {
  readonly #store: Store;
  readonly #write: LastingWrite;

  constructor(stateStore: Store, write: LastingWrite) {
    this.#store = stateStore;
    this.#write = write;
  }

  account(directory: string): AccountRecord | undefined {
    const row = this.#store
      .prepare<{ url: string; key: string | null; next: string | null }>(
        'SELECT url, key, next FROM acme_account WHERE directory = ?',
      )
      .get(directory);
    if (!row) return undefined;
    const { url, key, next } = row;
    return { url, key: key ?? accountKeyName(directory), next: next ?? undefined };
  }

  saveAccount(directory: string, account: AccountRecord | undefined): Promise<void> {
    if (account === undefined)
      return this.#run('DELETE FROM acme_account WHERE directory = ?', directory);
    return this.#run(
      `INSERT INTO acme_account (directory, url, key, next) VALUES (?, ?, ?, ?)
         ON CONFLICT (directory) DO UPDATE SET url = excluded.url, key = excluded.key, next = excluded.next`,
      directory,
      account.url,
      account.key,
      account.next ?? null,
    );
  }

  order(hostName: string, storeKey: string): OpenOrder | undefined {
    const row = this.#store
      .prepare<{ directory: string; names: string; url: string | null }>(
        'SELECT directory, names, url FROM acme_order WHERE host = ? AND key = ?',
      )
      .get(hostName, storeKey);
    if (!row) return undefined;
    const { directory, names, url } = row;
    return { directory, names: (names || hostName).split(' '), url: url ?? undefined };
  }

  saveOrder(
    hostName: string,
    storeKey: string,
    { directory, names, url }: OpenOrder,
  ): Promise<void> {
    return this.#run(
      `INSERT INTO acme_order (host, key, directory, url, names) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (host, key) DO UPDATE SET directory = excluded.directory, url = excluded.url, names = excluded.names`,
      hostName,
      storeKey,
      directory,
      url ?? null,
      names.join(' '),
    );
  }

  closeOrder(hostName: string, storeKey: string): Promise<void> {
    return this.#run('DELETE FROM acme_order WHERE host = ? AND key = ?', hostName, storeKey);
  }

  hasOrder(url: string): boolean {
    return this.#store.prepare('SELECT 1 FROM acme_order WHERE url = ?').get(url) !== undefined;
  }

  renewal(hostName: string, storeKey: string): RenewalState | undefined {
    const row = this.#store
      .prepare<{ state: string }>('SELECT state FROM acme_renewal WHERE host = ? AND key = ?')
      .get(hostName, storeKey);
    return row && (JSON.parse(row.state) as RenewalState);
  }

  saveRenewal(hostName: string, storeKey: string, renewal: RenewalState): Promise<void> {
    return this.#run(
      `INSERT INTO acme_renewal VALUES (?, ?, ?)
         ON CONFLICT (host, key) DO UPDATE SET state = excluded.state`,
      hostName,
      storeKey,
      JSON.stringify(renewal),
    );
  }

  pausedUntil(directory: string, subject: string, now: number): number {
    const pauses = this.#store
      .prepare<{ until: number }>(
        'SELECT until FROM acme_pause WHERE directory = ? AND subject IN (?, ?) AND until <= ?',
      )
      .all(directory, subject, '*', Math.ceil(now + MAX_WAIT));
    return Math.max(0, ...pauses.map(({ until }) => until));
  }

  pause(directory: string, subject: string, until: number): Promise<void> {
    return this.#run(
      `INSERT INTO acme_pause VALUES (?, ?, ?)
         ON CONFLICT (directory, subject) DO UPDATE SET until = excluded.until`,
      directory,
      subject,
      Math.ceil(until),
    );
  }

  failures(directory: string, hostName: string): number {
    const row = this.#store
      .prepare<{ count: number }>(
        'SELECT count FROM acme_failures WHERE directory = ? AND host = ?',
      )
      .get(directory, hostName);
    return row?.count ?? 0;
  }

  saveFailures(directory: string, hostName: string, count: number): Promise<void> {
    return this.#run(
      `INSERT INTO acme_failures VALUES (?, ?, ?)
         ON CONFLICT (directory, host) DO UPDATE SET count = excluded.count`,
      directory,
      hostName,
      count,
    );
  }

  claim({ host, key, holder, until }: KeyClaim, now: number): Promise<boolean> {
    const claim = this.#store.prepare(
      `INSERT INTO acme_claim VALUES (?, ?, ?, ?) ON CONFLICT (host, key)
         DO UPDATE SET holder = excluded.holder, until = excluded.until
         WHERE acme_claim.holder = excluded.holder OR acme_claim.until <= ? OR acme_claim.until > excluded.until`,
    );
    return this.#write(() => claim.run(host, key, holder, Math.ceil(until), Math.floor(now)) > 0);
  }

  release({ host, key, holder }: Omit<KeyClaim, 'until'>): Promise<void> {
    return this.#run(
      'DELETE FROM acme_claim WHERE host = ? AND key = ? AND holder = ?',
      host,
      key,
      holder,
    );
  }

  #run(sql: string, ...values: readonly Value[]): Promise<void> {
    return this.#write(() => void this.#store.prepare(sql).run(...values));
  }
}
