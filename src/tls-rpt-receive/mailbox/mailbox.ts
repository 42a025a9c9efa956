import type { Result } from '../../base/index.js';

/** One mail of a folder, before its text is fetched. */
export interface MailEntry {
  readonly uid: number;
  /** Octets, as the server claims. */
  readonly size: number;
  /**
   * The time at which the server received the mail (INTERNALDATE), milliseconds since
   * 1970.
   */
  readonly arrivedAt: number;
}

/** The text of a mail; undefined if it has more octets than asked for. */
export interface FetchedMail {
  readonly uid: number;
  readonly text: Uint8Array | undefined;
}

/**
 * An open folder on an IMAP server (RFC 9051). Every method resolves to a failure when
 * the connection breaks, and never rejects.
 */
export interface ReportMailbox {
  /**
   * If this value changes, UIDs of an earlier session refer to other mails (§2.3.1.1).
   */
  readonly uidValidity: string;
  /** Lists the UIDs from this one on, in ascending order. */
  list(fromUid: number): Promise<Result<readonly number[]>>;
  /** Returns the size and arrival time of mails. Deleted mails are omitted. */
  describe(uids: readonly number[]): Promise<Result<readonly MailEntry[]>>;
  /** Fetches the text of mails without setting a flag. Deleted mails are omitted. */
  fetch(uids: readonly number[], maxOctets: number): Promise<Result<readonly FetchedMail[]>>;
  /** Removes mails from the folder: into another one, or permanently without a folder. */
  remove(uids: readonly number[], moveTo: string | undefined): Promise<Result<undefined>>;
  /**
   * Resolves when the server announces a mail (IDLE, RFC 2177), when the connection ends,
   * or when the signal aborts.
   */
  untilMail(abortSignal: AbortSignal): Promise<void>;
  close(): void;
}
