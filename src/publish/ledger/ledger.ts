import { migrateStore, type Store, type TableSet, type Value } from '../../store/index.js';
import type { Alert, FailedAction, KeyType } from '../actions.js';
import { startPolicy } from '../mta-sts/step-policy.js';
import type { PolicyState } from '../mta-sts/types.js';
import { startRollover } from '../tlsa/step-rollover.js';
import type { TlsaRolloverState } from '../tlsa/types.js';
import { lastingWrite, type LastingWrite } from './lasting-write.js';

/** A mail host or a domain. */
export interface Subject {
  readonly kind: 'host' | 'domain';
  readonly name: string;
}

/**
 * The saved state of one mail host apart from its rollover. Plain JSON. The member names
 * are the stored format.
 */
export interface HostMemory {
  /**
   * The times at which the keys came into use, milliseconds since 1970, by the SHA-256 of
   * their SubjectPublicKeyInfo.
   */
  readonly inUse: Readonly<Record<string, number>>;
  /**
   * The chain (SHA-256) of the last reload of the server, and its time. While the files
   * change, and until the reload has succeeded, the entry is missing.
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

/** A host or domain with a failed action, and the code of the failure. */
export interface FailingSubject extends Subject {
  readonly code: string;
}

/**
 * The saved state of publishing: possible cache contents, orders, failures. A
 * change is durable when its promise resolves; it waits for the lock of another process.
 * All times are milliseconds since 1970.
 */
export interface Ledger {
  /** Returns the rollover of a host; a new rollover for a host without saved state. */
  host(entryName: string): TlsaRolloverState;
  /**
   * Returns the MTA-STS state of a domain; the initial state for a domain without saved
   * state.
   */
  domain(entryName: string): PolicyState;
  /**
   * Saves a state that was computed from `before`. Resolves to false, without saving, if
   * another process has saved a different state since.
   */
  saveHost(before: TlsaRolloverState, after: TlsaRolloverState, instant: number): Promise<boolean>;
  /** Saves a state that was computed from `before`, as `saveHost` does. */
  saveDomain(before: PolicyState, after: PolicyState, instant: number): Promise<boolean>;
  /** Returns the saved facts about the certificates and keys of a host. */
  memory(hostName: string): HostMemory;
  /** Changes these facts in one transaction. */
  remember(
    hostName: string,
    change: (hostMemory: HostMemory) => HostMemory,
    instant: number,
  ): Promise<void>;
  /** Returns the domains that ever had a policy, configured or not. */
  domains(): readonly string[];
  /** Returns the tokens that the operator confirmed. */
  confirmed(): readonly string[];
  confirm(token: string, instant: number): Promise<void>;
  /** Replaces the alerts of the previous round. Resolves with the alerts that are new. */
  alerts(now: readonly Alert[], instant: number): Promise<readonly Alert[]>;
  /**
   * Returns the actions that failed and have not succeeded since, earliest failure first.
   */
  failures(subject: Subject): readonly FailedAction[];
  /**
   * Returns the failures, and the record changes that succeeded but are not visible yet.
   */
  attempts(subject: Subject): readonly FailedAction[];
  /** Returns the subjects with failures and the codes of these, earliest first. */
  failing(limit: number): readonly FailingSubject[];
  saveFailure(subject: Subject, failure: FailedAction): Promise<void>;
  clearFailure(subject: Subject, action: string): Promise<void>;
  /** Saves an executed action for the operator. */
  note(instant: number, subject: string, says: string): Promise<void>;
  /** Returns the newest notes, newest first. */
  notes(limit: number): readonly LedgerNote[];
  /** Returns the policy body that is served for a domain now. */
  body(domainName: string): string | undefined;
  /**
   * Sets the body that is served for a domain; undefined ends the serving of a policy.
   */
  serve(domainName: string, bodyText: string | undefined): Promise<void>;
}

const migrations = [
  `CREATE TABLE publish_subject (kind TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, updated BIGINT NOT NULL, PRIMARY KEY (kind, name));
   CREATE TABLE publish_confirmed (token TEXT PRIMARY KEY, at BIGINT NOT NULL);
   CREATE TABLE publish_alert (code TEXT NOT NULL, subject TEXT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (code, subject));
   CREATE TABLE publish_note (id INTEGER PRIMARY KEY, at BIGINT NOT NULL, subject TEXT NOT NULL, says TEXT NOT NULL);
   CREATE TABLE publish_served (domain TEXT PRIMARY KEY, body TEXT NOT NULL);`,
  `CREATE TABLE publish_failure (kind TEXT NOT NULL, name TEXT NOT NULL, action TEXT NOT NULL, at BIGINT NOT NULL, failure TEXT NOT NULL, PRIMARY KEY (kind, name, action));`,
];

/** The tables of the ledger. */
export const ledgerTables: TableSet = { job: 'publish', migrations };

const emptyMemory: HostMemory = { inUse: {}, told: {} };

/**
 * Opens the ledger in a database that other jobs use too. The signal ends the wait for
 * the lock of another process.
 */
export function openLedger(stateStore: Store, signal?: AbortSignal): Ledger {
  migrateStore(stateStore, ledgerTables.job, migrations);
  return new SqlLedger(stateStore, lastingWrite(stateStore, signal));
}

/** A row of `publish_subject`. Rows of kind `memory` contain the HostMemory of a host. */
interface SavedState {
  readonly kind: Subject['kind'] | 'memory';
  readonly name: string;
}

class SqlLedger implements Ledger {
  readonly #store: Store;
  readonly #write: LastingWrite;
  readonly #select;
  readonly #upsert;
  /** Prepared once: the policy host reads a body at every request. */
  readonly #selectBody;

  constructor(stateStore: Store, write: LastingWrite) {
    this.#store = stateStore;
    this.#write = write;
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

  saveHost(before: TlsaRolloverState, after: TlsaRolloverState, instant: number): Promise<boolean> {
    return this.#replace({ kind: 'host', name: after.host }, before, after, instant);
  }

  saveDomain(before: PolicyState, after: PolicyState, instant: number): Promise<boolean> {
    return this.#replace({ kind: 'domain', name: after.domain }, before, after, instant);
  }

  memory(hostName: string): HostMemory {
    return this.#load({ kind: 'memory', name: hostName }, emptyMemory);
  }

  remember(
    hostName: string,
    change: (hostMemory: HostMemory) => HostMemory,
    instant: number,
  ): Promise<void> {
    return this.#write(() => {
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

  confirm(token: string, instant: number): Promise<void> {
    return this.#run(
      'INSERT INTO publish_confirmed VALUES (?, ?) ON CONFLICT DO NOTHING',
      token,
      instant,
    );
  }

  alerts(now: readonly Alert[], instant: number): Promise<readonly Alert[]> {
    return this.#write(() => replaceAlerts(this.#store, now, instant));
  }

  failures(subject: Subject): readonly FailedAction[] {
    return this.attempts(subject).filter(({ pending }) => pending === undefined);
  }

  attempts({ kind, name }: Subject): readonly FailedAction[] {
    return this.#store
      .prepare<{ failure: string }>(
        'SELECT failure FROM publish_failure WHERE kind = ? AND name = ? ORDER BY at, action',
      )
      .all(kind, name)
      .map(({ failure }) => JSON.parse(failure) as FailedAction);
  }

  failing(limit: number): readonly FailingSubject[] {
    return this.#store
      .prepare<FailingSubject>(
        `SELECT kind, name, failure ->> 'code' AS code FROM publish_failure
         WHERE failure ->> 'pending' IS NULL GROUP BY kind, name, code ORDER BY min(at) LIMIT ?`,
      )
      .all(limit);
  }

  saveFailure({ kind, name }: Subject, failure: FailedAction): Promise<void> {
    const { action, at } = failure;
    return this.#run(
      `INSERT INTO publish_failure (kind, name, action, at, failure) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, name, action) DO UPDATE SET at = excluded.at, failure = excluded.failure`,
      kind,
      name,
      action,
      Math.trunc(at),
      JSON.stringify(failure),
    );
  }

  async clearFailure({ kind, name }: Subject, action: string): Promise<void> {
    const where = 'FROM publish_failure WHERE kind = ? AND name = ? AND action = ?';
    // Reads first: most rounds have no failure to clear, and a write takes the lock.
    if (!this.#store.prepare(`SELECT 1 ${where}`).get(kind, name, action)) return;
    await this.#run(`DELETE ${where}`, kind, name, action);
  }

  note(instant: number, subject: string, says: string): Promise<void> {
    return this.#run(
      'INSERT INTO publish_note (at, subject, says) VALUES (?, ?, ?)',
      instant,
      subject,
      says,
    );
  }

  notes(limit: number): readonly LedgerNote[] {
    return this.#store
      .prepare<LedgerNote>('SELECT at, subject, says FROM publish_note ORDER BY id DESC LIMIT ?')
      .all(limit);
  }

  body(domainName: string): string | undefined {
    return this.#selectBody.get(domainName)?.body;
  }

  serve(domainName: string, bodyText: string | undefined): Promise<void> {
    if (bodyText === undefined)
      return this.#run('DELETE FROM publish_served WHERE domain = ?', domainName);
    return this.#run(
      `INSERT INTO publish_served VALUES (?, ?)
       ON CONFLICT (domain) DO UPDATE SET body = excluded.body`,
      domainName,
      bodyText,
    );
  }

  #run(sql: string, ...values: readonly Value[]): Promise<void> {
    return this.#write(() => void this.#store.prepare(sql).run(...values));
  }

  #load<State>({ kind, name }: SavedState, initial: State): State {
    const row = this.#select.get(kind, name);
    return row ? (JSON.parse(row.state) as State) : initial;
  }

  /**
   * Saves a state only if the saved state is still the expected one, so that two
   * processes never overwrite each other's state.
   */
  #replace(
    { kind, name }: SavedState,
    before: object,
    after: object,
    instant: number,
  ): Promise<boolean> {
    return this.#write(() => {
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
