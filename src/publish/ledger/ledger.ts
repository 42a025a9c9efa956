import { migrate, type Store } from '../../store/index.js';
import type { Alert, FailedAction, KeyType } from '../actions.js';
import { startPolicy } from '../mta-sts/step-policy.js';
import type { PolicyState } from '../mta-sts/types.js';
import { startRollover } from '../tlsa/step-rollover.js';
import type { TlsaRolloverState } from '../tlsa/types.js';

/** A mail host or a domain. */
export interface Subject {
  readonly kind: 'host' | 'domain';
  readonly name: string;
}

/**
 * The saved state of one mail host apart from its rollover. Plain JSON; the member names
 * are the stored format.
 */
export interface HostMemory {
  /**
   * When each key came into use, milliseconds since 1970, by the SHA-256 of its
   * SubjectPublicKeyInfo.
   */
  readonly inUse: Readonly<Record<string, number>>;
  /**
   * The chain (SHA-256) that the server was last made to read, and when. An entry is
   * missing from before the files change until the reload has succeeded.
   */
  readonly told: Readonly<
    Partial<Record<KeyType, { readonly chain: string; readonly at: number }>>
  >;
}

/** An executed action, for the operator. */
export interface LedgerNote {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly subject: string;
  readonly says: string;
}

/**
 * The saved state of publishing: what caches may hold, what was ordered, what failed. Each
 * call is durable when it returns. All times are milliseconds since 1970.
 */
export interface Ledger {
  /** Returns the rollover of a host; a host without saved state starts one. */
  host(entryName: string): TlsaRolloverState;
  /** Returns the MTA-STS state of a domain; a domain without saved state starts one. */
  domain(entryName: string): PolicyState;
  /**
   * Saves a state that rests on `before`. Returns false, and saves nothing, when another
   * process has saved another state meanwhile.
   */
  saveHost(before: TlsaRolloverState, after: TlsaRolloverState, instant: number): boolean;
  /** Saves a state that rests on `before`, as `saveHost` does. */
  saveDomain(before: PolicyState, after: PolicyState, instant: number): boolean;
  /** Returns the saved facts about the certificates and keys of a host. */
  memory(hostName: string): HostMemory;
  /** Changes these facts in one transaction. */
  remember(hostName: string, change: (hostMemory: HostMemory) => HostMemory, instant: number): void;
  /** Returns the domains that ever had a policy, configured or not. */
  domains(): readonly string[];
  /** Returns the tokens that the operator confirmed. */
  confirmed(): readonly string[];
  confirm(token: string, instant: number): void;
  /** Replaces the alerts of the round before. Returns the alerts that are new. */
  alerts(now: readonly Alert[], instant: number): readonly Alert[];
  /** Returns the actions that failed and have not succeeded since, the earliest first. */
  failures(subject: Subject): readonly FailedAction[];
  saveFailure(subject: Subject, failure: FailedAction): void;
  clearFailure(subject: Subject, action: string): void;
  /** Saves an executed action for the operator. */
  note(instant: number, subject: string, says: string): void;
  /** Returns the newest notes, the newest first. */
  notes(limit: number): readonly LedgerNote[];
  /** Returns the policy body that is served for a domain now. */
  body(domainName: string): string | undefined;
  /** Sets the body that is served for a domain. Undefined: no policy is served. */
  serve(domainName: string, bodyText: string | undefined): void;
}

const migrations = [
  `CREATE TABLE publish_subject (kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, updated BIGINT NOT NULL, PRIMARY KEY (kind, name));
   CREATE TABLE publish_confirmed (token TEXT PRIMARY KEY, at BIGINT NOT NULL);
   CREATE TABLE publish_alert (code TEXT NOT NULL, subject TEXT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (code, subject));
   CREATE TABLE publish_note (id INTEGER PRIMARY KEY, at BIGINT NOT NULL, subject TEXT NOT NULL, says TEXT NOT NULL);
   CREATE TABLE publish_served (domain TEXT PRIMARY KEY, body TEXT NOT NULL);`,
  `CREATE TABLE publish_failure (kind TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, at BIGINT NOT NULL, failure TEXT NOT NULL, PRIMARY KEY (kind, name, action));`,
];

const emptyMemory: HostMemory = { inUse: {}, told: {} };

/** Opens the ledger in a database that other jobs use too. */
export function openLedger(stateStore: Store): Ledger {
  migrate(stateStore, 'publish', migrations);
  return new SqlLedger(stateStore);
}

/** A row of `publish_subject`. Kind `memory` holds the HostMemory of a host. */
interface SavedState {
  readonly kind: Subject['kind'] | 'memory';
  readonly name: string;
}

class SqlLedger implements Ledger {
  readonly #store: Store;
  readonly #select;
  readonly #upsert;
  /** Prepared once: the policy host asks for a body at every request. */
  readonly #selectBody;

  constructor(stateStore: Store) {
    this.#store = stateStore;
    this.#select = stateStore.prepare<{ state: string }>(
      'SELECT state FROM publish_subject WHERE kind = ? AND name = ?',
    );
    this.#upsert = stateStore.prepare(
      `INSERT INTO publish_subject (kind, name, state, updated) VALUES (?, ?, ?, ?)
       ON CONFLICT (kind, name) DO UPDATE SET state = excluded.state, updated = excluded.updated`,
    );
    this.#selectBody = stateStore.prepare<{ body: string }>(
      'SELECT body FROM publish_served WHERE domain = ?',
    );
  }

  host(entryName: string): TlsaRolloverState {
    return this.#load({ kind: 'host', name: entryName }, startRollover(entryName));
  }

  domain(entryName: string): PolicyState {
    return this.#load({ kind: 'domain', name: entryName }, startPolicy(entryName));
  }

  saveHost(before: TlsaRolloverState, after: TlsaRolloverState, instant: number): boolean {
    return this.#replace({ kind: 'host', name: after.host }, before, after, instant);
  }

  saveDomain(before: PolicyState, after: PolicyState, instant: number): boolean {
    return this.#replace({ kind: 'domain', name: after.domain }, before, after, instant);
  }

  memory(hostName: string): HostMemory {
    return this.#load({ kind: 'memory', name: hostName }, emptyMemory);
  }

  remember(
    hostName: string,
    change: (hostMemory: HostMemory) => HostMemory,
    instant: number,
  ): void {
    this.#store.transaction(() => {
      const memory = JSON.stringify(change(this.memory(hostName)));
      this.#upsert.run('memory', hostName, memory, instant);
    });
  }

  domains(): readonly string[] {
    return this.#store
      .prepare<{ name: string }>(
        "SELECT name FROM publish_subject WHERE kind = 'domain' ORDER BY name",
      )
      .all()
      .map(({ name }) => name);
  }

  confirmed(): readonly string[] {
    return this.#store
      .prepare<{ token: string }>('SELECT token FROM publish_confirmed')
      .all()
      .map(({ token }) => token);
  }

  confirm(token: string, instant: number): void {
    this.#store
      .prepare('INSERT INTO publish_confirmed VALUES (?, ?) ON CONFLICT DO NOTHING')
      .run(token, instant);
  }

  alerts(now: readonly Alert[], instant: number): readonly Alert[] {
    return this.#store.transaction(() => replaceAlerts(this.#store, now, instant));
  }

  failures({ kind, name }: Subject): readonly FailedAction[] {
    return this.#store
      .prepare<{ failure: string }>(
        'SELECT failure FROM publish_failure WHERE kind = ? AND name = ? ORDER BY at, action',
      )
      .all(kind, name)
      .map(({ failure }) => JSON.parse(failure) as FailedAction);
  }

  saveFailure({ kind, name }: Subject, failure: FailedAction): void {
    const { action, at } = failure;
    this.#store
      .prepare(
        `INSERT INTO publish_failure (kind, name, action, at, failure) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (kind, name, action) DO UPDATE SET at = excluded.at, failure = excluded.failure`,
      )
      .run(kind, name, action, Math.trunc(at), JSON.stringify(failure));
  }

  clearFailure({ kind, name }: Subject, action: string): void {
    const where = 'FROM publish_failure WHERE kind = ? AND name = ? AND action = ?';
    // Reads first: most rounds have no failure to clear, and a write takes the lock.
    if (!this.#store.prepare(`SELECT 1 ${where}`).get(kind, name, action)) return;
    this.#store.prepare(`DELETE ${where}`).run(kind, name, action);
  }

  note(instant: number, subject: string, says: string): void {
    this.#store
      .prepare('INSERT INTO publish_note (at, subject, says) VALUES (?, ?, ?)')
      .run(instant, subject, says);
  }

  notes(limit: number): readonly LedgerNote[] {
    return this.#store
      .prepare<LedgerNote>('SELECT at, subject, says FROM publish_note ORDER BY id DESC LIMIT ?')
      .all(limit);
  }

  body(domainName: string): string | undefined {
    return this.#selectBody.get(domainName)?.body;
  }

  serve(domainName: string, bodyText: string | undefined): void {
    if (bodyText === undefined) {
      this.#store.prepare('DELETE FROM publish_served WHERE domain = ?').run(domainName);
      return;
    }
    this.#store
      .prepare(
        `INSERT INTO publish_served VALUES (?, ?)
         ON CONFLICT (domain) DO UPDATE SET body = excluded.body`,
      )
      .run(domainName, bodyText);
  }

  #load<State>({ kind, name }: SavedState, initial: State): State {
    const row = this.#select.get(kind, name);
    return row ? (JSON.parse(row.state) as State) : initial;
  }

  /** Compare and set: two processes never overwrite each other's state. */
  #replace({ kind, name }: SavedState, before: object, after: object, instant: number): boolean {
    return this.#store.transaction(() => {
      const row = this.#select.get(kind, name);
      if (row && row.state !== JSON.stringify(before)) return false;
      this.#upsert.run(kind, name, JSON.stringify(after), instant);
      return true;
    });
  }
}

type AlertKey = Pick<Alert, 'code' | 'subject'>;

function replaceAlerts(
  stateStore: Store,
  now: readonly Alert[],
  instant: number,
): readonly Alert[] {
  const known = stateStore.prepare<AlertKey>('SELECT code, subject FROM publish_alert').all();
  const isSame = (left: AlertKey, right: AlertKey): boolean =>
    left.code === right.code && left.subject === right.subject;
  const over = known.filter((old) => !now.some((alert) => isSame(alert, old)));
  for (const { code, subject } of over)
    stateStore
      .prepare('DELETE FROM publish_alert WHERE code = ? AND subject = ?')
      .run(code, subject);
  const fresh = now.filter(
    (alert, index) =>
      !known.some((old) => isSame(old, alert)) &&
      now.findIndex((other) => isSame(other, alert)) === index,
  );
  for (const { code, subject } of fresh)
    stateStore.prepare('INSERT INTO publish_alert VALUES (?, ?, ?)').run(code, subject, instant);
  return fresh;
}
