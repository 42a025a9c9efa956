import type { Store } from '../../store/index.js';

/** A mail that could not be stored yet. */
export interface PendingMail {
  readonly uid: number;
  /** Number of tries until now. */
  readonly tries: number;
  /** The times of the first try and of the next try, in milliseconds since 1970. */
  readonly since: number;
  readonly due: number;
}

/** The changes of the state that follow from one batch of mails. */
export interface StateChange {
  /** The UID below which all mails were read, except pending and skipped mails. */
  readonly nextUid: number;
  readonly settled: readonly number[];
  readonly postponed: readonly PendingMail[];
  /** Pending mails that cannot be remembered, because too many mails are pending. */
  readonly skipped: readonly number[];
}

/**
 * The record of the mails of a folder that were read. It saves work but does not affect
 * sums: a report that is read again is recognised by its digest. The state is therefore
 * written after the reports, and after a crash between the two writes one batch is
 * repeated.
 *
 * The number of pending mails is limited. At the limit, the stored position stays before
 * the first skipped mail, and the position of the reader is only in memory. When fewer
 * mails are pending, the reader returns to the stored position.
 */
export class MailboxState {
  readonly #store: Store;
  readonly #mailbox: string;
  readonly #maxPending: number;
  #validity = '';
  #readUpTo = 1;
  #firstSkipped: number | undefined;

  /** `mailbox`: the name of the account and folder. */
  constructor(store: Store, mailbox: string, maxPending: number) {
    this.#store = store;
    this.#mailbox = mailbox;
    this.#maxPending = maxPending;
  }

  /** Returns whether another mail can be remembered as pending. */
  get hasRoom(): boolean {
    return this.pendingCount() < this.#maxPending;
  }

  /** Returns whether mails were skipped because too many were pending. */
  get isFull(): boolean {
    return this.#firstSkipped !== undefined;
  }

  /**
   * Returns the first UID that was not read; 1 if `uidValidity` has changed. Resumes at
   * the stored position, before the skipped mails, once the pending mails are at most
   * 90 % of the limit.
   */
  async begin(uidValidity: string): Promise<number> {
    const stored = await this.#storedPosition(uidValidity);
    const isRoomy = this.pendingCount() <= this.#maxPending * 0.9;
    if (uidValidity !== this.#validity || (this.isFull && isRoomy)) {
      this.#firstSkipped = undefined;
      this.#readUpTo = stored;
    }
    this.#validity = uidValidity;
    return Math.max(stored, this.#readUpTo);
  }

  async #storedPosition(uidValidity: string): Promise<number> {
    const known = this.#store
      .prepare<{ validity: string; next: number }>(
        'SELECT uid_validity AS validity, next_uid AS next FROM report_mailbox WHERE mailbox = ?',
      )
      .get(this.#mailbox);
    if (known?.validity === uidValidity) return known.next;
    await this.#store.write('report', () => {
      this.#store
        .prepare('DELETE FROM report_mailbox_pending WHERE mailbox = ?')
        .run(this.#mailbox);
      this.#store
        .prepare(
          `INSERT INTO report_mailbox (mailbox, uid_validity, next_uid) VALUES (?, ?, 1)
           ON CONFLICT (mailbox) DO UPDATE SET uid_validity = excluded.uid_validity, next_uid = 1`,
        )
        .run(this.#mailbox, uidValidity);
    });
    return 1;
  }

  /** Returns the pending mails that are due, oldest first. */
  due(now: number, most: number): readonly PendingMail[] {
    return this.#store
      .prepare<PendingMail>(
        `SELECT uid, tries, since, due FROM report_mailbox_pending
         WHERE mailbox = ? AND due <= ? ORDER BY due LIMIT ?`,
      )
      .all(this.#mailbox, now, most);
  }

  pendingCount(): number {
    const found = this.#store
      .prepare<{ n: number }>('SELECT count(*) AS n FROM report_mailbox_pending WHERE mailbox = ?')
      .get(this.#mailbox);
    return found?.n ?? 0;
  }

  /** Returns the UIDs of the pending mails, from a given UID on. */
  pendingFrom(uid: number): ReadonlySet<number> {
    const rows = this.#store
      .prepare<{ uid: number }>(
        'SELECT uid FROM report_mailbox_pending WHERE mailbox = ? AND uid >= ?',
      )
      .all(this.#mailbox, uid);
    return new Set(rows.map((row) => row.uid));
  }

  async save(change: StateChange): Promise<void> {
    const { settled, postponed, skipped } = change;
    this.#readUpTo = Math.max(this.#readUpTo, change.nextUid);
    if (skipped.length > 0)
      this.#firstSkipped = Math.min(this.#firstSkipped ?? Infinity, ...skipped);
    const nextUid = Math.min(change.nextUid, this.#firstSkipped ?? Infinity);
    await this.#store.write('report', () => {
      this.#store
        .prepare('UPDATE report_mailbox SET next_uid = max(next_uid, ?) WHERE mailbox = ?')
        .run(nextUid, this.#mailbox);
      const remove = this.#store.prepare(
        'DELETE FROM report_mailbox_pending WHERE mailbox = ? AND uid = ?',
      );
      for (const uid of settled) remove.run(this.#mailbox, uid);
      const add = this.#store.prepare(
        `INSERT INTO report_mailbox_pending (mailbox, uid, tries, since, due) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (mailbox, uid) DO UPDATE SET tries = excluded.tries, due = excluded.due`,
      );
      for (const { uid, tries, since, due } of postponed)
        add.run(this.#mailbox, uid, tries, since, due);
    });
  }
}
