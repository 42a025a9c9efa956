import { migrate, type Store } from '../../store/index.js';
import type { Alert, FailedAction, KeyType } from '../actions.js';
import { startPolicy } from '../mta-sts/step-policy.js';
import type { PolicyState } from '../mta-sts/types.js';
import { startRollover } from '../tlsa/step-rollover.js';
import type { RolloverState } from '../tlsa/types.js';

/** A mail host or a domain. */
export interface Subject {
  readonly kind: 'host' | 'domain';
  readonly name: string;
}

/** The saved state of one mail host apart from its rollover. Plain JSON. */
export interface HostMemory {
  /**
   * Since when each key is in use, milliseconds since 1970, by the SHA-256 of its
   * SubjectPublicKeyInfo.
   */
  readonly inUse: Readonly<Record<string, number>>;
  /**
   * The chain (SHA-256) that the server was told to read last, and when. Missing from
   * before the files change until the command has succeeded.
   */
  readonly told: Readonly<
    Partial<Record<KeyType, { readonly chain: string; readonly at: number }>>
  >;
}

/** Everything publishing remembers. Each call is durable when it returns. */
export interface Ledger {
  host(name: string): RolloverState;
  domain(name: string): PolicyState;
  /**
   * Writes down what is to rest on `before`; false, and nothing written, when somebody
   * else has written meanwhile.
   */
  saveHost(before: RolloverState, after: RolloverState, at: number): boolean;
  saveDomain(before: PolicyState, after: PolicyState, at: number): boolean;
  /** What is known of a host's certificates and keys. */
  memory(host: string): HostMemory;
  remember(host: string, change: (memory: HostMemory) => HostMemory, at: number): void;
  /** Domains that ever had a policy, whether still asked for or not. */
  domains(): readonly string[];
  /** Tokens a person gave. */
  confirmed(): readonly string[];
  confirm(token: string, at: number): void;
  /**
   * Puts the alerts of a run in the place of those before; returns the ones that are new.
   */
  alerts(now: readonly Alert[], at: number): readonly Alert[];
  /** Actions that failed and have not succeeded since, the earliest first. */
  failures(subject: Subject): readonly FailedAction[];
  saveFailure(subject: Subject, failure: FailedAction): void;
  clearFailure(subject: Subject, action: string): void;
  /** What was done, for people. */
  note(at: number, subject: string, says: string): void;
  notes(
    limit: number,
  ): readonly { readonly at: number; readonly subject: string; readonly says: string }[];
  /** The policy body that is served for a domain at this moment. */
  body(domain: string): string | undefined;
  serve(domain: string, body: string | undefined): void;
}

const migrations = [
  `CREATE TABLE publish_subject (kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, updated BIGINT NOT NULL, PRIMARY KEY (kind, name));
   CREATE TABLE publish_confirmed (token TEXT PRIMARY KEY, at BIGINT NOT NULL);
   CREATE TABLE publish_alert (code TEXT NOT NULL, subject TEXT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (code, subject));
   CREATE TABLE publish_note (id INTEGER PRIMARY KEY, at BIGINT NOT NULL, subject TEXT NOT NULL, says TEXT NOT NULL);
   CREATE TABLE publish_served (domain TEXT PRIMARY KEY, body TEXT NOT NULL);`,
  `CREATE TABLE publish_failure (kind TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, at BIGINT NOT NULL, failure TEXT NOT NULL, PRIMARY KEY (kind, name, action));`,
];

const nothing: HostMemory = { inUse: {}, told: {} };

/** Opens the ledger in a database that other jobs use too. */
export function openLedger(store: Store): Ledger {
  migrate(store, 'publish', migrations);
  const subject = store.prepare<{ state: string }>(
    'SELECT state FROM publish_subject WHERE kind = ? AND name = ?',
  );
  const save = store.prepare(
    `INSERT INTO publish_subject (kind, name, state, updated) VALUES (?, ?, ?, ?)
     ON CONFLICT (kind, name) DO UPDATE SET state = excluded.state, updated = excluded.updated`,
  );
  const read = <T>(kind: string, name: string, otherwise: T): T => {
    const row = subject.get(kind, name);
    return row ? (JSON.parse(row.state) as T) : otherwise;
  };
  const replace = (
    kind: string,
    name: string,
    before: object,
    after: object,
    at: number,
  ): boolean =>
    store.transaction(() => {
      const row = subject.get(kind, name);
      if (row && row.state !== JSON.stringify(before)) return false;
      save.run(kind, name, JSON.stringify(after), at);
      return true;
    });
  const served = store.prepare<{ body: string }>(
    'SELECT body FROM publish_served WHERE domain = ?',
  );
  return {
    host: (name) => read('host', name, startRollover(name)),
    domain: (name) => read('domain', name, startPolicy(name)),
    saveHost: (before, after, at) => replace('host', after.host, before, after, at),
    saveDomain: (before, after, at) => replace('domain', after.domain, before, after, at),
    memory: (host) => read('memory', host, nothing),
    remember: (host, change, at) =>
      store.transaction(
        () =>
          void save.run('memory', host, JSON.stringify(change(read('memory', host, nothing))), at),
      ),
    domains: () =>
      store
        .prepare<{ name: string }>(
          "SELECT name FROM publish_subject WHERE kind = 'domain' ORDER BY name",
        )
        .all()
        .map(({ name }) => name),
    confirmed: () =>
      store
        .prepare<{ token: string }>('SELECT token FROM publish_confirmed')
        .all()
        .map(({ token }) => token),
    confirm: (token, at) =>
      void store
        .prepare('INSERT INTO publish_confirmed VALUES (?, ?) ON CONFLICT DO NOTHING')
        .run(token, at),
    alerts: (now, at) => store.transaction(() => replaceAlerts(store, now, at)),
    failures: ({ kind, name }) =>
      store
        .prepare<{ failure: string }>(
          'SELECT failure FROM publish_failure WHERE kind = ? AND name = ? ORDER BY at, action',
        )
        .all(kind, name)
        .map(({ failure }) => JSON.parse(failure) as FailedAction),
    saveFailure: ({ kind, name }, failure) =>
      void store
        .prepare(
          `INSERT INTO publish_failure (kind, name, action, at, failure) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (kind, name, action) DO UPDATE SET at = excluded.at, failure = excluded.failure`,
        )
        .run(kind, name, failure.action, Math.trunc(failure.at), JSON.stringify(failure)),
    clearFailure({ kind, name }, action) {
      const where = 'FROM publish_failure WHERE kind = ? AND name = ? AND action = ?';
      if (store.prepare(`SELECT 1 ${where}`).get(kind, name, action))
        store.prepare(`DELETE ${where}`).run(kind, name, action);
    },
    note: (at, name, says) =>
      void store
        .prepare('INSERT INTO publish_note (at, subject, says) VALUES (?, ?, ?)')
        .run(at, name, says),
    notes: (limit) =>
      store
        .prepare<{ at: number; subject: string; says: string }>(
          'SELECT at, subject, says FROM publish_note ORDER BY id DESC LIMIT ?',
        )
        .all(limit),
    body: (domain) => served.get(domain)?.body,
    serve(domain, body) {
      if (body === undefined)
        store.prepare('DELETE FROM publish_served WHERE domain = ?').run(domain);
      else
        store
          .prepare(
            'INSERT INTO publish_served VALUES (?, ?) ON CONFLICT (domain) DO UPDATE SET body = excluded.body',
          )
          .run(domain, body);
    },
  };
}

function replaceAlerts(store: Store, now: readonly Alert[], at: number): readonly Alert[] {
  const known = store
    .prepare<{ code: string; subject: string }>('SELECT code, subject FROM publish_alert')
    .all();
  const same = (
    a: { code: string; subject: string },
    b: { code: string; subject: string },
  ): boolean => a.code === b.code && a.subject === b.subject;
  for (const old of known)
    if (!now.some((alert) => same(alert, old)))
      store
        .prepare('DELETE FROM publish_alert WHERE code = ? AND subject = ?')
        .run(old.code, old.subject);
  const fresh = now.filter(
    (alert, i) =>
      !known.some((old) => same(old, alert)) && now.findIndex((other) => same(other, alert)) === i,
  );
  for (const { code, subject } of fresh)
    store.prepare('INSERT INTO publish_alert VALUES (?, ?, ?)').run(code, subject, at);
  return fresh;
}
