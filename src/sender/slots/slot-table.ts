import { migrateStore, type Store, type TableSet } from '../../store/index.js';
import { observationSchema, type Observation } from '../observation.js';

/** A slot as it was allocated. Times are milliseconds since 1970. */
export interface Slot {
  /**
   * The label in the names of the slot's cases, visible to every server that handles its
   * mail.
   */
  readonly slot: string;
  /** The secret part of the address of the slot's page. */
  readonly id: string;
  readonly lentAt: number;
  /** The time from which the receivers refuse mail for the slot. */
  readonly endsAt: number;
  /** The time at which the policy of the case `sts-cached` was withdrawn. */
  readonly withdrawnAt: number | undefined;
  /** The time of issue of the certificate; undefined before the issue. */
  readonly readyAt: number | undefined;
  /** The last reason why the CA issued no certificate. */
  readonly problem: string | undefined;
  /** Number that increases with every change, so that pages detect changes. */
  readonly revision: number;
}

/**
 * Maximum number of observations of one slot, so that a flood of connections does not
 * fill the disk.
 */
const MAX_OBSERVATIONS = 5000;
/**
 * Names and results of an ended slot remain for this time: mail that is still queued must
 * get the refusal with its explanation.
 */
const KEPT_MS = 14 * 86_400_000;

const migrations = [
  `CREATE TABLE sender_slot (
     slot TEXT PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     client TEXT NOT NULL,
     lent_at BIGINT NOT NULL,
     ends_at BIGINT NOT NULL,
     withdrawn_at BIGINT,
     revision INTEGER NOT NULL DEFAULT 0
   );
   CREATE INDEX sender_slot_end ON sender_slot (ends_at);
   CREATE TABLE sender_observation (
     slot TEXT NOT NULL,
     number INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (slot, number)
   );`,
  `ALTER TABLE sender_slot ADD COLUMN ready_at BIGINT;
   ALTER TABLE sender_slot ADD COLUMN problem TEXT;`,
];

/** The tables of the public sender test. */
export const slotTables: TableSet = { job: 'sender-test', migrations };

const WRITER = 'sender-test';
const columns = `slot, id, lent_at AS lentAt, ends_at AS endsAt, withdrawn_at AS withdrawnAt,
  ready_at AS readyAt, problem, revision`;

/** A row as the database returns it. */
interface StoredSlot extends Omit<Slot, 'withdrawnAt' | 'readyAt' | 'problem'> {
  readonly withdrawnAt: number | null;
  readonly readyAt: number | null;
  readonly problem: string | null;
}

function fromStored({ withdrawnAt, readyAt, problem, ...row }: StoredSlot): Slot {
  return {
    ...row,
    withdrawnAt: withdrawnAt ?? undefined,
    readyAt: readyAt ?? undefined,
    problem: problem ?? undefined,
  };
}

/** Maximum numbers of slots that are allocated at a time. */
export interface AllocationLimits {
  readonly slots: number;
  readonly perClient: number;
}

/** A new slot, and the client that requests it. */
export interface NewSlot extends Pick<Slot, 'slot' | 'id' | 'lentAt' | 'endsAt'> {
  /** The network of the client. */
  readonly client: string;
}

/** The outcome of a request for a slot. */
export type Allocation =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: 'sender-slots-taken' | 'sender-client-limit';
      /** The time at which a slot becomes free, milliseconds since 1970. */
      readonly freeAt: number;
    };

/**
 * Slots and their observations. The promise that a write returns resolves when the write
 * is durable.
 */
export class SlotTable {
  readonly #store: Store;

  constructor(stateStore: Store) {
    migrateStore(stateStore, slotTables.job, migrations);
    this.#store = stateStore;
  }

  /** Returns the slot with this label, as long as its names exist. */
  bySlot(slot: string): Slot | undefined {
    return this.#one(`SELECT ${columns} FROM sender_slot WHERE slot = ?`, slot);
  }

  byId(id: string): Slot | undefined {
    return this.#one(`SELECT ${columns} FROM sender_slot WHERE id = ?`, id);
  }

  #one(sql: string, key: string): Slot | undefined {
    const row = this.#store.prepare<StoredSlot>(sql).get(key);
    return row && fromStored(row);
  }

  /** Returns the slots that are allocated at this time, oldest first. */
  allocated(now: number): readonly Slot[] {
    return this.#store
      .prepare<StoredSlot>(`SELECT ${columns} FROM sender_slot WHERE ends_at > ? ORDER BY lent_at`)
      .all(now)
      .map(fromStored);
  }

  /**
   * Allocates a slot within the limits. One transaction covers both counts and the new
   * row.
   */
  allocate(
    { slot, id, client, lentAt, endsAt }: NewSlot,
    { slots, perClient }: AllocationLimits,
  ): Promise<Allocation> {
    return this.#store.write(WRITER, (): Allocation => {
      const own = this.#ends('AND client = ?', lentAt, client);
      if (own.count >= perClient)
        return { ok: false, code: 'sender-client-limit', freeAt: own.first };
      const all = this.#ends('', lentAt);
      if (all.count >= slots) return { ok: false, code: 'sender-slots-taken', freeAt: all.first };
      this.#store
        .prepare(
          'INSERT INTO sender_slot (slot, id, client, lent_at, ends_at) VALUES (?, ?, ?, ?, ?)',
        )
        .run(slot, id, client, lentAt, endsAt);
      return { ok: true };
    });
  }

  #ends(
    condition: string,
    now: number,
    ...values: readonly string[]
  ): { readonly count: number; readonly first: number } {
    return (
      this.#store
        .prepare<{ count: number; first: number }>(
          `SELECT count(*) AS count, coalesce(min(ends_at), 0) AS first FROM sender_slot
           WHERE ends_at > ? ${condition}`,
        )
        .get(now, ...values) ?? { count: 0, first: 0 }
    );
  }

  /** Withdraws the policy of the case `sts-cached`; later calls change nothing. */
  withdraw(slot: string, at: number): Promise<void> {
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare(
          `UPDATE sender_slot SET withdrawn_at = ?, revision = revision + 1
           WHERE slot = ? AND withdrawn_at IS NULL`,
        )
        .run(at, slot);
    });
  }

  /**
   * Records that the slot has its certificate, or the reason why it has no certificate.
   */
  markReady(slot: string, at: number, problem?: string): Promise<void> {
    const known = this.bySlot(slot);
    const isKnown =
      problem === undefined ? known?.readyAt !== undefined : known?.problem === problem;
    if (!known || isKnown) return Promise.resolve();
    return this.#store.write(WRITER, () => {
      this.#store
        .prepare(
          'UPDATE sender_slot SET ready_at = ?, problem = ?, revision = revision + 1 WHERE slot = ?',
        )
        .run(problem === undefined ? at : null, problem?.slice(0, 500) ?? null, slot);
    });
  }

  /** Saves observations of one slot, up to its limit. */
  add(slot: string, observations: readonly Observation[]): Promise<void> {
    return this.#store.write(WRITER, () => {
      const known = this.#store.prepare<{ revision: number; last: number }>(
        `SELECT revision, (SELECT coalesce(max(number), 0) FROM sender_observation WHERE slot = ?)
           AS last FROM sender_slot WHERE slot = ?`,
      );
      const state = known.get(slot, slot);
      if (!state) return;
      const insert = this.#store.prepare(
        'INSERT INTO sender_observation (slot, number, body) VALUES (?, ?, ?)',
      );
      const room = Math.max(0, MAX_OBSERVATIONS - state.last);
      for (const [index, observation] of observations.slice(0, room).entries())
        insert.run(slot, state.last + 1 + index, JSON.stringify(observation));
      if (room > 0)
        this.#store
          .prepare('UPDATE sender_slot SET revision = revision + 1 WHERE slot = ?')
          .run(slot);
    });
  }

  /**
   * Returns the observations of a slot in their order; observations of another version
   * are left out.
   */
  observations(slot: string): readonly Observation[] {
    return this.#store
      .prepare<{ body: string }>(
        'SELECT body FROM sender_observation WHERE slot = ? ORDER BY number',
      )
      .all(slot)
      .flatMap(({ body }) => {
        const parsed = observationSchema.safeParse(JSON.parse(body));
        return parsed.success ? [parsed.data] : [];
      });
  }

  /** Deletes slots two weeks after their end. */
  purge(now: number): Promise<void> {
    return this.#store.write(WRITER, () => {
      const old = 'SELECT slot FROM sender_slot WHERE ends_at < ?';
      this.#store
        .prepare(`DELETE FROM sender_observation WHERE slot IN (${old})`)
        .run(now - KEPT_MS);
      this.#store.prepare('DELETE FROM sender_slot WHERE ends_at < ?').run(now - KEPT_MS);
    });
  }
}
