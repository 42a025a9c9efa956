import { fail, ok, type Result } from '../../../src/base/index.js';
import {
  intakeFailures,
  type ReportMailbox,
  type FetchedMail,
  type MailEntry,
} from '../../../src/tls-rpt-receive/index.js';

/** A mail in the folder of the fake server. */
export interface HeldMail {
  readonly text: Uint8Array;
  readonly arrivedAt: number;
}

/** The number of the step, from 1, before or after which the connection breaks. */
export interface Break {
  readonly step: number;
  readonly afterEffect: boolean;
}

/** A folder on an IMAP server in memory, whose connection can break at each command. */
export class FakeMailbox implements ReportMailbox {
  readonly mails = new Map<number, HeldMail>();
  readonly moved: HeldMail[] = [];
  uidValidity = '1';
  nextUid = 1;
  /** Rounds begun, and mails fetched. */
  rounds = 0;
  fetches = 0;
  /** Runs when a round begins. */
  onRound: (rounds: number) => void = () => undefined;
  breaksAt: Break | undefined;
  #steps = 0;

  add(text: Uint8Array, arrivedAt: number): number {
    this.mails.set(this.nextUid, { text, arrivedAt });
    return this.nextUid++;
  }

  async list(fromUid: number): Promise<Result<readonly number[]>> {
    this.onRound(++this.rounds);
    return this.#step(() => [...this.mails.keys()].filter((uid) => uid >= fromUid));
  }

  async describe(uids: readonly number[]): Promise<Result<readonly MailEntry[]>> {
    return this.#step(() =>
      this.#present(uids).map(([uid, { text, arrivedAt }]) => ({
        uid,
        size: text.length,
        arrivedAt,
      })),
    );
  }

  async fetch(uids: readonly number[]): Promise<Result<readonly FetchedMail[]>> {
    return this.#step(() => {
      this.fetches += uids.length;
      return this.#present(uids).map(([uid, { text }]) => ({ uid, text }));
    });
  }

  async remove(uids: readonly number[], moveTo: string | undefined): Promise<Result<undefined>> {
    return this.#step(() => {
      for (const [uid, mail] of this.#present(uids)) {
        if (moveTo !== undefined) this.moved.push(mail);
        this.mails.delete(uid);
      }
      return undefined;
    });
  }

  untilMail(abortSignal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (abortSignal.aborted) resolve();
      abortSignal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  close(): void {
    this.#steps = 0;
  }

  #present(uids: readonly number[]): readonly (readonly [number, HeldMail])[] {
    return [...this.mails].filter(([uid]) => uids.includes(uid));
  }

  #step<T>(work: () => T): Result<T> {
    const breaks = ++this.#steps === this.breaksAt?.step;
    if (breaks && this.breaksAt?.afterEffect === false) return lost;
    const value = work();
    return breaks ? lost : ok(value);
  }
}

const lost = fail(intakeFailures.make('mailbox-connection-lost', 'broken by the test'));
