import type { Result } from '../../base/index.js';

/** One mail of a folder, before its text is fetched. */
export interface MailEntry {
  readonly uid: number;
  /** The number of octets that the server states. */
  readonly size: number;
  /**
   * The time at which the server received the mail (INTERNALDATE), in milliseconds since
   * 1970.
   */
  readonly arrivedAt: number;
}

/** A fetched mail. `text`: undefined if the mail has more octets than permitted. */
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
   * The UIDVALIDITY of the folder. If it changes, UIDs of an earlier session refer to
   * other mails (§2.3.1.1).
   */
  readonly uidValidity: string;
  /** Returns the UIDs from `fromUid` on, in ascending order. */
  list(fromUid: number): Promise<Result<readonly number[]>>;
  /** Returns the size and arrival time of mails. Deleted mails are omitted. */
  describe(uids: readonly number[]): Promise<Result<readonly MailEntry[]>>;
  /** Fetches the text of mails without setting a flag. Deleted mails are omitted. */
  fetch(uids: readonly number[], maxOctets: number): Promise<Result<readonly FetchedMail[]>>;
  /** Moves mails to the folder `moveTo`; if undefined, deletes them permanently. */
  remove(uids: readonly number[], moveTo: string | undefined): Promise<Result<undefined>>;
  /**
   * Resolves when the server announces a mail (IDLE, RFC 2177), when the connection ends,
   * or when the signal aborts.
   */
  untilMail(abortSignal: AbortSignal): Promise<void>;
  close(): void;
}
