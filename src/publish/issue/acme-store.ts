import { migrate, type Store } from '../../store/index.js';
import {
  accountKeyName,
  type AccountStore,
  type OrderStore,
  type RenewalWindow,
} from '../../acme/index.js';

/**
 * Everything that has to outlive a crash between two requests to a CA. Each call is
 * durable when it returns.
 */
export interface AcmeStore extends AccountStore, OrderStore {
  closeOrder(host: string, key: string): void;
  renewal(host: string, key: string): Renewal | undefined;
  saveRenewal(host: string, key: string, renewal: Renewal): void;
  /** Until when a CA (`subject` '*') or a host at a CA is left alone; 0: not at all. */
  pausedUntil(directory: string, subject: string): number;
  pause(directory: string, subject: string, until: number): void;
  /** Failed validations of a host in a row. */
  failures(directory: string, host: string): number;
  saveFailures(directory: string, host: string, count: number): void;
  /**
   * Takes a key for its holder alone, or longer for the one who has it already; false
   * while another has it. One that lasts longer than this one was made by a clock that
   * has been turned back since, and counts for nothing.
   */
  claim(host: string, key: string, holder: string, now: number, until: number): boolean;
  release(host: string, key: string, holder: string): void;
}

/** What is known of the certificate in use. */
export interface Renewal {
  readonly directory: string;
  /**
   * Missing where the certificate has no authority key identifier: then its CA cannot be
   * asked about it.
   */
  readonly certificateId?: string | undefined;
  readonly draw: number;
  readonly window?: RenewalWindow;
  /** When the CA is asked again, milliseconds since 1970. */
  readonly askAgain: number;
  /** How often in a row it could not be asked. */
  readonly tries?: number;
  /** Where the CA explains its window. */
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

/** Opens the book in a database that other jobs use too. */
export function openAcmeBook(store: Store): AcmeStore {
  migrate(store, 'acme', migrations);
  return {
    account(directory) {
      const row = store
        .prepare<{ url: string; key: string | null; next: string | null }>(
          'SELECT url, key, next FROM acme_account WHERE directory = ?',
        )
        .get(directory);
      return (
        row && {
          url: row.url,
          key: row.key ?? accountKeyName(directory),
          ...(row.next === null ? {} : { next: row.next }),
        }
      );
    },
    saveAccount(directory, account) {
      if (account === undefined)
        store.prepare('DELETE FROM acme_account WHERE directory = ?').run(directory);
      else
        store
          .prepare(
            `INSERT INTO acme_account (directory, url, key, next) VALUES (?, ?, ?, ?)
             ON CONFLICT (directory) DO UPDATE SET url = excluded.url, key = excluded.key, next = excluded.next`,
          )
          .run(directory, account.url, account.key, account.next ?? null);
    },
    order(host, key) {
      const row = store
        .prepare<{
          directory: string;
          names: string;
          url: string | null;
        }>('SELECT directory, names, url FROM acme_order WHERE host = ? AND key = ?')
        .get(host, key);
      return (
        row && {
          directory: row.directory,
          names: (row.names || host).split(' '),
          ...(row.url === null ? {} : { url: row.url }),
        }
      );
    },
    saveOrder: (host, key, { directory, names, url }) =>
      void store
        .prepare(
          `INSERT INTO acme_order (host, key, directory, url, names) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (host, key) DO UPDATE SET directory = excluded.directory, url = excluded.url, names = excluded.names`,
        )
        .run(host, key, directory, url ?? null, names.join(' ')),
    closeOrder: (host, key) =>
      void store.prepare('DELETE FROM acme_order WHERE host = ? AND key = ?').run(host, key),
    knows: (url) => store.prepare('SELECT 1 FROM acme_order WHERE url = ?').get(url) !== undefined,
    renewal(host, key) {
      const row = store
        .prepare<{ state: string }>('SELECT state FROM acme_renewal WHERE host = ? AND key = ?')
        .get(host, key);
      return row && (JSON.parse(row.state) as Renewal);
    },
    saveRenewal: (host, key, renewal) =>
      void store
        .prepare(
          'INSERT INTO acme_renewal VALUES (?, ?, ?) ON CONFLICT (host, key) DO UPDATE SET state = excluded.state',
        )
        .run(host, key, JSON.stringify(renewal)),
    pausedUntil: (directory, subject) =>
      Math.max(
        0,
        ...store
          .prepare<{ until: number }>(
            'SELECT until FROM acme_pause WHERE directory = ? AND subject IN (?, ?)',
          )
          .all(directory, subject, '*')
          .map(({ until }) => until),
      ),
    pause: (directory, subject, until) =>
      void store
        .prepare(
          'INSERT INTO acme_pause VALUES (?, ?, ?) ON CONFLICT (directory, subject) DO UPDATE SET until = excluded.until',
        )
        .run(directory, subject, Math.ceil(until)),
    failures: (directory, host) =>
      store
        .prepare<{ count: number }>(
          'SELECT count FROM acme_failures WHERE directory = ? AND host = ?',
        )
        .get(directory, host)?.count ?? 0,
    saveFailures: (directory, host, count) =>
      void store
        .prepare(
          'INSERT INTO acme_failures VALUES (?, ?, ?) ON CONFLICT (directory, host) DO UPDATE SET count = excluded.count',
        )
        .run(directory, host, count),
    claim: (host, key, holder, now, until) =>
      store
        .prepare(
          `INSERT INTO acme_claim VALUES (?, ?, ?, ?) ON CONFLICT (host, key)
           DO UPDATE SET holder = excluded.holder, until = excluded.until
           WHERE acme_claim.holder = excluded.holder OR acme_claim.until <= ? OR acme_claim.until > excluded.until`,
        )
        .run(host, key, holder, Math.ceil(until), Math.floor(now)) > 0,
    release: (host, key, holder) =>
      void store
        .prepare('DELETE FROM acme_claim WHERE host = ? AND key = ? AND holder = ?')
        .run(host, key, holder),
  };
}
