import {
  fail,
  followSignals,
  repeat,
  type Clock,
  type Failure,
  type Result,
} from '../../base/index.js';
import type { Store } from '../../store/index.js';
import type { Receipt, Receiver } from '../intake/receiver.js';
import { intakeFailures } from '../failures.js';
import { MailboxState, type PendingMail } from './mailbox-state.js';
import type { FetchedMail, MailEntry, ReportMailbox } from './mailbox.js';

/**
 * The result of reading one mail. `taken`: all its reports are stored, and the mail was
 * moved or deleted if so configured. All other mails stay in the folder. `left`: a part
 * was not stored, or a report is about another domain. `foreign`: the mail is not a
 * report. `refused`: it is a report that cannot be read. `postponed`: it is tried again
 * later. `given-up`: its key was unavailable for three days, and it is not tried again.
 */
export type MailFate = 'taken' | 'left' | 'foreign' | 'refused' | 'postponed' | 'given-up';

/** The state of a mailbox, for metrics and `/health`. */
export interface MailboxStatus {
  readonly name: string;
  readonly connected: boolean;
  /** The reason why the mailbox currently cannot be read, or only in part. */
  readonly failure: Failure | undefined;
  /**
   * The time of the last successful round in milliseconds since 1970; 0 before the first
   * round.
   */
  readonly readAt: number;
  readonly pending: number;
  readonly fates: ReadonlyMap<MailFate, number>;
}

/** The mailbox, the intake, and the choices of the operator. */
export interface MailboxReaderOptions {
  /**
   * The account and folder, which are shown in logs and stored as the peer of each
   * report.
   */
  readonly name: string;
  readonly open: (signal: AbortSignal) => Promise<Result<ReportMailbox>>;
  readonly receiver: Receiver;
  readonly store: Store;
  readonly clock: Clock;
  readonly after: 'keep' | 'move' | 'delete';
  readonly moveTo?: string | undefined;
  /** Whether the operator vouches for the mailbox. */
  readonly trusted: boolean;
  /** Milliseconds between two rounds if the server announces nothing. */
  readonly pollMs: number;
  /** Maximum number of mails that are remembered as pending. Default 100,000. */
  readonly maxPending?: number | undefined;
  /**
   * Receives the failure if the mailbox cannot be read, and undefined when it can be read
   * again.
   */
  readonly onFailure: (failure: Failure | undefined) => void;
}

/** Maximum octets of one mail, the same as for mail by SMTP. */
const MAX_MAIL = 10_000_000;
/** Maximum number of mails to fetch together, and of their octets. */
const MAX_BATCH = 50;
const MAX_BATCH_OCTETS = 4_000_000;
/** Maximum number of mails whose sizes are requested together. */
const MAX_DESCRIBED = 500;
/** Maximum number of pending mails in one round, and in a mailbox. */
const MAX_DUE = 500;
const MAX_PENDING = 100_000;
const MINUTE = 60_000;
/**
 * The first pause before a pending mail is tried again; each further pause is twice as
 * long.
 */
const FIRST_RETRY = 5 * MINUTE;
const MAX_RETRY = 360 * MINUTE;
/**
 * The time after which a pending mail is not tried again; mail servers retry for about as
 * long.
 */
const RETRY_TIME = 3 * 1440 * MINUTE;
/** The pause after a round that stopped because of the store or a full queue. */
const BLOCKED_PAUSE = 30_000;
/**
 * Pauses before the next connection, long enough that refused logins do not lock the
 * account.
 */
const FIRST_RECONNECT = 5000;
const MAX_RECONNECT = 10 * MINUTE;
const REFUSED_PAUSE = 15 * MINUTE;
/**
 * Number of connections or rounds without a read mail after which `readOnce` ends.
 */
const MAX_STALLS = 4;

/**
 * Reads reports from one folder until it is stopped. A mail is moved or deleted only
 * after its reports are durable, and then the position in the folder is saved. If the
 * process ends between two steps, the next one repeats the batch. Stored reports are
 * recognised by their digests, so the reader loses no report and counts no report twice.
 */
export class MailboxReader {
  readonly #options: MailboxReaderOptions;
  readonly #state: MailboxState;
  readonly #fates = new Map<MailFate, number>();
  #connected = false;
  #failure: Failure | undefined;
  #failures = 0;
  #lastFailure: Failure | undefined;
  #mails = 0;
  #readAt = 0;

  constructor(options: MailboxReaderOptions) {
    this.#options = options;
    const { store, name, maxPending = MAX_PENDING } = options;
    this.#state = new MailboxState(store, name, maxPending);
  }

  get status(): MailboxStatus {
    return {
      name: this.#options.name,
      connected: this.#connected,
      failure: this.#failure,
      readAt: this.#readAt,
      pending: this.#state.pendingCount(),
      fates: this.#fates,
    };
  }

  /** Reads until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    // The store could not be written. The daemon reports such failures elsewhere.
    const onError = (): number => BLOCKED_PAUSE;
    const pauseAfter: AfterRound = async (mailbox, progress) => {
      if (progress === 'complete') await this.#wait(mailbox, signal);
      if (progress === 'blocked') await clock.sleep(BLOCKED_PAUSE, signal);
      return 'continue';
    };
    const session = (): Promise<number> => this.#session(signal, pauseAfter);
    await repeat(session, { clock, signal, pauseMs: 0, onError });
  }

  /**
   * Reads the mails that are in the folder now. Resolves to a failure if not all could be
   * read. Opens a lost connection again as long as mails are read. If this call ends
   * early, the next call in any process continues its work. Rejects if the signal aborts
   * or the store fails.
   */
  async readOnce(signal: AbortSignal): Promise<Result<undefined>> {
    const { clock } = this.#options;
    let [mails, stalls] = [0, 0];
    let isComplete = false;
    const hasStalled = (): boolean => {
      stalls = this.#mails > mails ? 0 : stalls + 1;
      mails = this.#mails;
      return stalls >= MAX_STALLS;
    };
    const endWhenRead: AfterRound = async (_mailbox, progress) => {
      isComplete = progress === 'complete';
      if (progress !== 'blocked') return isComplete ? 'end' : 'continue';
      this.#lastFailure = intakeFailures.make('mailbox-not-stored', this.#options.name);
      if (hasStalled()) return 'end';
      await clock.sleep(BLOCKED_PAUSE, signal);
      return 'continue';
    };
    for (;;) {
      const pause = await this.#session(signal, endWhenRead);
      signal.throwIfAborted();
      if (isComplete) return { ok: true, value: undefined };
      const failure = this.#lastFailure;
      if (failure && (!failure.temporary || stalls >= MAX_STALLS || hasStalled()))
        return fail(failure);
      await clock.sleep(pause, signal);
    }
  }

  /**
   * Reads the mailbox over one connection. Resolves to the pause before the next round.
   */
  async #session(signal: AbortSignal, afterRound: AfterRound): Promise<number> {
    const opened = await this.#options.open(signal);
    if (!opened.ok) return this.#failed(opened.failure, true);
    const mailbox = opened.value;
    this.#connected = true;
    // Closing the connection on abort prevents a pending command from delaying the stop
    // until the server answers.
    const close = (): void => mailbox.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      while (!signal.aborted) {
        const result = await this.#round(mailbox, signal);
        if (signal.aborted) break;
        if (!result.ok) return this.#failed(result.failure, false);
        this.#succeeded();
        if ((await afterRound(mailbox, result.value)) === 'end') break;
      }
      return 0;
    } finally {
      this.#connected = false;
      signal.removeEventListener('abort', close);
      mailbox.close();
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#readAt = this.#options.clock.now();
    const failure = this.#state.isFull ? this.#pendingFull() : undefined;
    if (this.#failure?.code !== failure?.code) this.#options.onFailure(failure);
    this.#failure = failure;
  }

  #pendingFull(): Failure {
    const pending = this.#state.pendingCount();
    return intakeFailures.make(
      'mailbox-pending-full',
      `${pending} mails are pending; the daemon reads them again later`,
    );
  }

  /**
   * Counts a failure, and returns the pause before the next attempt. Servers close idle
   * connections, so the mailbox counts as failing only if the connection cannot be opened
   * again.
   */
  #failed(failure: Failure, atOpening: boolean): number {
    this.#failures++;
    this.#lastFailure = failure;
    if (atOpening || this.#failures > 1) {
      if (this.#failure?.code !== failure.code) this.#options.onFailure(failure);
      this.#failure = failure;
    }
    if (!failure.temporary) return REFUSED_PAUSE;
    return Math.min(FIRST_RECONNECT * 2 ** (this.#failures - 1), MAX_RECONNECT);
  }

  /** Waits until the server announces a mail, at most until the next poll. */
  async #wait(mailbox: ReportMailbox, signal: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#options;
    await followSignals([signal], async (awake) => {
      const asleep = clock.sleep(pollMs, awake.signal).catch(() => undefined);
      await Promise.race([asleep, mailbox.untilMail(awake.signal)]);
      awake.abort();
    });
  }

  /**
   * Reads the mails that are new or due. Returns `more` if further mails are due now, and
   * `blocked` if mails remain for a later round.
   */
  async #round(mailbox: ReportMailbox, signal: AbortSignal): Promise<Result<Progress>> {
    const from = await this.#state.begin(mailbox.uidValidity);
    const due = this.#state.due(this.#options.clock.now(), MAX_DUE);
    const fresh = await mailbox.list(from);
    if (!fresh.ok) return fresh;
    const pending = new Map(due.map((mail) => [mail.uid, mail]));
    const known = this.#state.pendingFrom(from);
    const uids = [...pending.keys(), ...fresh.value.filter((uid) => !known.has(uid))];
    for (let start = 0; start < uids.length; start += MAX_DESCRIBED) {
      const asked = uids.slice(start, start + MAX_DESCRIBED);
      const described = await mailbox.describe(asked);
      if (!described.ok) return described;
      for (const batch of batchesOf(asked, described.value)) {
        if (signal.aborted) return { ok: true, value: 'blocked' };
        const result = await this.#process(mailbox, batch, pending);
        if (!result.ok || result.value === 'blocked') return result;
      }
    }
    return { ok: true, value: due.length === MAX_DUE ? 'more' : 'complete' };
  }

  async #process(
    mailbox: ReportMailbox,
    { asked, entries }: Batch,
    pending: ReadonlyMap<number, PendingMail>,
  ): Promise<Result<Progress>> {
    const readable = entries.filter(({ size }) => size <= MAX_MAIL);
    for (let tooLarge = readable.length; tooLarge < entries.length; tooLarge++)
      this.#count('refused');
    const fetched = await mailbox.fetch(
      readable.map(({ uid }) => uid),
      MAX_MAIL,
    );
    if (!fetched.ok) return fetched;
    const taken = await this.#takeAll(fetched.value, readable, pending);
    const done = taken.filter(({ fate }) => fate === 'taken').map(({ uid }) => uid);
    const { after, moveTo } = this.#options;
    if (after !== 'keep' && done.length > 0) {
      const removed = await mailbox.remove(done, moveTo);
      if (!removed.ok) return removed;
    }
    for (const { fate } of taken) if (fate !== 'blocked') this.#count(fate);
    const blocked = taken.filter(({ fate }) => fate === 'blocked').map(({ uid }) => uid);
    const fresh = asked.filter((uid) => !pending.has(uid));
    const postponed = taken.flatMap(({ pendingMail }) => pendingMail ?? []);
    const waiting = new Set([...blocked, ...postponed.map(({ uid }) => uid)]);
    await this.#state.save({
      nextUid: Math.min(...blocked, (fresh.at(-1) ?? -1) + 1),
      settled: asked.filter((uid) => pending.has(uid) && !waiting.has(uid)),
      postponed,
      skipped: taken.filter(({ isSkipped }) => isSkipped === true).map(({ uid }) => uid),
    });
    return { ok: true, value: blocked.length > 0 ? 'blocked' : 'complete' };
  }

  async #takeAll(
    mails: readonly FetchedMail[],
    entries: readonly MailEntry[],
    pending: ReadonlyMap<number, PendingMail>,
  ): Promise<readonly Taken[]> {
    const arrivals = new Map(entries.map(({ uid, arrivedAt }) => [uid, arrivedAt]));
    const take = (mail: FetchedMail): Promise<Taken> =>
      this.#take(mail, arrivals.get(mail.uid) ?? NaN, pending.get(mail.uid));
    const first = await Promise.all(mails.map(take));
    // Large mails may have filled the queue of the reading thread, so each blocked mail
    // is read again alone.
    const taken: Taken[] = [];
    for (const [index, mail] of mails.entries()) {
      const outcome = first[index];
      if (outcome) taken.push(outcome.fate === 'blocked' ? await take(mail) : outcome);
    }
    return taken;
  }

  async #take(
    { uid, text }: FetchedMail,
    arrivedAt: number,
    before: PendingMail | undefined,
  ): Promise<Taken> {
    if (!text) return { uid, fate: 'refused' };
    const { clock, receiver, name, trusted } = this.#options;
    const now = clock.now();
    const since = before?.since ?? now;
    const lastTry = now - since >= RETRY_TIME;
    const receipt = await receiver.receive(text, {
      via: 'mailbox',
      peer: name,
      name: `${name}#${uid}`,
      mailbox: { arrivedAt: Number.isNaN(arrivedAt) ? now : arrivedAt, trusted, lastTry },
    });
    if (receipt.status !== 'later') return { uid, fate: fateOf(receipt) };
    if (receipt.why !== 'keys' && receipt.why !== 'room') return { uid, fate: 'blocked' };
    if (lastTry) return { uid, fate: 'given-up' };
    if (!before && !this.#state.hasRoom) return { uid, fate: 'postponed', isSkipped: true };
    const tries = (before?.tries ?? 0) + 1;
    const due = now + Math.min(FIRST_RETRY * 2 ** (tries - 1), MAX_RETRY);
    return { uid, fate: 'postponed', pendingMail: { uid, tries, since, due } };
  }

  #count(fate: MailFate): void {
    this.#mails++;
    this.#fates.set(fate, (this.#fates.get(fate) ?? 0) + 1);
  }
}

type Progress = 'complete' | 'more' | 'blocked';

/** A function that waits for the next round, or decides to end the connection. */
type AfterRound = (mailbox: ReportMailbox, progress: Progress) => Promise<'continue' | 'end'>;

/**
 * The result of one mail. `blocked`: the mail could not be processed now and is read
 * again.
 */
interface Taken {
  readonly uid: number;
  readonly fate: MailFate | 'blocked';
  readonly pendingMail?: PendingMail;
  /**
   * True if the mail is postponed but cannot be remembered, because too many mails are
   * pending.
   */
  readonly isSkipped?: boolean;
}

/** Returns whether a mail was not meant as a TLS report. */
export function isOtherMail({ code }: Pick<Failure, 'code'>): boolean {
  return code === 'report-missing' || code === 'report-is-dmarc';
}

/**
 * Returns the result of a mail from its receipt. A mail may be removed only if all its
 * reports are stored. A mail with reports about other domains stays, because another
 * reader of the mailbox may need it.
 */
function fateOf(receipt: Exclude<Receipt, { status: 'later' }>): MailFate {
  if (receipt.status === 'refused') return isOtherMail(receipt.failure) ? 'foreign' : 'refused';
  const isWhole =
    receipt.failures.length === 0 && receipt.reports.every(({ trust }) => trust !== 'other-domain');
  return isWhole ? 'taken' : 'left';
}

/** Mails that are fetched together. `asked` may also contain UIDs of deleted mails. */
interface Batch {
  readonly asked: readonly number[];
  readonly entries: readonly MailEntry[];
}

/** Splits mails into batches of bounded size, in the order of the requested UIDs. */
function batchesOf(asked: readonly number[], described: readonly MailEntry[]): readonly Batch[] {
  const known = new Map(described.map((entry) => [entry.uid, entry]));
  const batches: { asked: number[]; entries: MailEntry[] }[] = [];
  let octets = 0;
  for (const uid of asked) {
    const entry = known.get(uid);
    const size = entry?.size ?? 0;
    let batch = batches.at(-1);
    if (!batch || batch.asked.length >= MAX_BATCH || octets + size > MAX_BATCH_OCTETS) {
      batch = { asked: [], entries: [] };
      batches.push(batch);
      octets = 0;
    }
    batch.asked.push(uid);
    if (entry) batch.entries.push(entry);
    octets += size;
  }
  return batches;
}
