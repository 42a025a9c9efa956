import { separateTurns, TaskLimit, type Clock, type Failure } from '../../base/index.js';
import { groupCommit, type Store } from '../../store/index.js';
import { claimedSize } from '../../tls-rpt/index.js';
import type { IntakeLimit } from '../tables/intake-sums.js';
import { coarsened, type PreparedReport } from '../tables/prepare-report.js';
import { storeRefusals, type Refusal } from '../tables/refusals.js';
import { storeInSteps, type IntakeOutcome, type StoreOutcome } from '../tables/store-reports.js';
import { isAuthenticated, type DkimVerdict, type ReportTrust, type Via } from '../types.js';
import type { LookupKeys } from '../verify/verify-dkim.js';
import { ItemReader } from './item-reader.js';
import { judgeItem, type ItemTask, type JudgedPart } from './judge-item.js';
import { networkBudget, reporterBudget, sourceBudget, type SourceBudget } from './source-budget.js';

/** The store, clock, key lookup and limits of a receiver. */
export interface ReceiverOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** The domains, with their subdomains, for which reports are accepted. */
  readonly domains: readonly string[];
  /** Returns the known MX hosts of these domains: with DANE they are policy domains. */
  readonly hosts?: () => ReadonlySet<string>;
  /**
   * Looks up DKIM keys. If this function is present, a separate thread reads large items.
   */
  readonly keys?: LookupKeys;
  /**
   * Verifies the signatures of a message if `keys` is absent. The calling thread then
   * reads all items.
   */
  readonly verify?: (rawMessage: Uint8Array) => Promise<DkimVerdict>;
  /**
   * Maximum number of unauthenticated reports that are stored in a day. Default 20 000,
   * with 200 000 rows and 64 MB.
   */
  readonly unauthenticatedPerDay?: Partial<IntakeLimit>;
  /** Maximum octets of an unpacked report. Default 10 MB. */
  readonly maxBytes?: number;
  /** Maximum number of reports a minute from one source. Default 600. */
  readonly perMinute?: number;
  /** Receives the outcome of every body or mail, for logs. */
  readonly onReceipt?: (receipt: Receipt, peer: string) => void;
}

/** The outcome of a body or a mail. `stored`: the reports are durable. */
export type Receipt =
  | {
      readonly status: 'stored';
      readonly reports: readonly {
        readonly outcome: StoreOutcome;
        readonly trust: ReportTrust;
        readonly reporter: string;
      }[];
      /** Failures of other items in the same upload. */
      readonly failures: readonly Failure[];
    }
  | { readonly status: 'refused'; readonly failure: Failure }
  /**
   * The sender should try again later, because of its rate, a failed key lookup, a store
   * that cannot be written, a full queue, or too many unauthenticated reports on this
   * day.
   */
  | {
      readonly status: 'later';
      readonly why: 'source' | 'keys' | 'store' | 'busy' | 'room';
    };

/** The transport, the peer and the name of an item. */
export interface Origin {
  readonly via: Via;
  readonly peer: string;
  readonly name: string;
  /** The origin of a mail that this process fetched from a mailbox; otherwise absent. */
  readonly mailbox?: MailboxOrigin | undefined;
}

/**
 * The origin of a mail that this process fetched. The mail is judged by the time when the
 * server received it. The mailbox has no source budget, because the reader itself limits
 * the rate.
 */
export interface MailboxOrigin {
  /** The time of arrival in milliseconds since 1970. */
  readonly arrivedAt: number;
  /** Whether the operator vouches for the mailbox. */
  readonly trusted: boolean;
  /**
   * Whether to accept the mail even if a key lookup fails, because it has failed for
   * days.
   */
  readonly lastTry: boolean;
}

/**
 * A receiver that accepts bodies and mails, and answers each when its reports are durable
 * or refused.
 */
export interface Receiver {
  receive(inputBytes: Uint8Array, origin: Origin): Promise<Receipt>;
  /** Returns whether a source may send now; called before a body is read. */
  admits(peer: string): boolean;
  /**
   * Charges a source for the octets of a refused body, which `receive` did not charge.
   */
  charge(peer: string, octets: number): void;
  /** Ends the thread that reads large items. */
  close(): Promise<void>;
}

/** The cost of a body that is not a report, in reports. */
const refusalCost = 20;
/**
 * Number of unpacked octets, as the packed body states them, that cost as much as one
 * more report.
 */
const octetsPerReport = 32 * 1024;
/** Number of policies and failure details that cost as much as one more report. */
const entriesPerReport = 50;
/**
 * Octets above which an item waits for its own turn of the event loop: many such items
 * would block the loop.
 */
const felt = 4096;

const defaultLimit: IntakeLimit = { reports: 20_000, rows: 200_000, octets: 64_000_000 };
/** The fraction of a day's unauthenticated reports that one network may send. */
const networkShare = 0.1;
/**
 * Maximum number of detailed rows of one reporter in a day for each domain: five reports
 * of the largest size. Genuine reporters send one report a day for each domain (RFC 8460
 * §4.1).
 */
const DETAILED_ROWS = 5000;

/**
 * Number of mails from mailboxes that are read at the same time, so that their key
 * lookups overlap. A whole batch would stay in memory so long that the garbage collector
 * copies all of it.
 */
const MAILS_AT_ONCE = 8;

/**
 * Creates a receiver. It reads and judges reports, and writes reports that arrive at the
 * same time in one transaction. Its methods never reject.
 */
export function createReceiver(options: ReceiverOptions): Receiver {
  return new ReportReceiver(options);
}

class ReportReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  readonly #limit: IntakeLimit;
  readonly #budget: SourceBudget;
  readonly #networks: SourceBudget;
  readonly #reporters: SourceBudget;
  readonly #reader: ItemReader | undefined;
  readonly #turn = separateTurns();
  readonly #mailboxReads = new TaskLimit(MAILS_AT_ONCE);
  readonly #write: (preparedReport: PreparedReport) => Promise<IntakeOutcome>;
  readonly #count: (refusal: Refusal) => Promise<undefined>;

  constructor(options: ReceiverOptions) {
    const { store, clock, keys, perMinute = 600 } = options;
    this.#options = options;
    this.#limit = { ...defaultLimit, ...options.unauthenticatedPerDay };
    this.#budget = sourceBudget(perMinute, () => clock.monotonic());
    const share = Math.max(1, Math.floor(this.#limit.reports * networkShare));
    this.#networks = networkBudget(share, () => clock.monotonic());
    const detailedRows = DETAILED_ROWS * Math.max(1, options.domains.length);
    this.#reporters = reporterBudget(detailedRows, () => clock.monotonic());
    this.#reader = keys && new ItemReader({ keys });
    this.#write = groupCommit({
      store,
      job: 'report',
      write: (reports: readonly PreparedReport[]) => storeInSteps(store, reports, this.#limit),
    });
    this.#count = groupCommit({
      store,
      job: 'report',
      write: (refusals: readonly Refusal[]) => storeRefusals(store, refusals),
    });
  }

  admits(peer: string): boolean {
    return this.#budget.admits(peer);
  }

  charge(peer: string, octets: number): void {
    this.#budget.spend(peer, refusalCost + Math.floor(octets / octetsPerReport));
  }

  async receive(inputBytes: Uint8Array, origin: Origin): Promise<Receipt> {
    const { via, peer } = origin;
    const receipt =
      origin.mailbox || this.admits(peer)
        ? await this.#take(inputBytes, origin)
        : ({ status: 'later', why: 'source' } as const);
    // A failure to count refusals is ignored: no caller depends on the count, and another
    // part logs a full disk.
    const day = Math.floor(this.#options.clock.now() / 86_400_000);
    for (const { code } of failuresOf(receipt))
      void this.#count({ day, via, code }).catch(() => undefined);
    this.#options.onReceipt?.(receipt, peer);
    return receipt;
  }

  close(): Promise<void> {
    return this.#reader?.close() ?? Promise.resolve();
  }

  async #take(inputBytes: Uint8Array, origin: Origin): Promise<Receipt> {
    const { clock, domains, hosts, maxBytes = 10_000_000 } = this.#options;
    const { mailbox, ...source } = origin;
    const claimed = Math.min(Math.max(claimedSize(inputBytes), inputBytes.length), maxBytes);
    // The source is charged before its body is read, so that simultaneous bodies of one
    // source cannot all pass the budget.
    this.#budget.spend(origin.peer, 1 + Math.floor(claimed / octetsPerReport));
    if (claimed > felt) await this.#turn();
    const at = Math.min(clock.now(), mailbox?.arrivedAt ?? Infinity);
    const read = (): Promise<readonly JudgedPart[] | undefined> =>
      this.#read({
        ...source,
        bytes: inputBytes,
        trustedMailbox: mailbox?.trusted,
        at,
        domains,
        hosts: hosts?.() ?? new Set(),
        maxBytes,
      });
    const judgedParts = await (mailbox ? this.#mailboxReads.run(read) : read());
    if (!judgedParts) return { status: 'later', why: 'busy' };
    const reports = judgedParts.flatMap((judgedPart) =>
      'report' in judgedPart ? [judgedPart] : [],
    );
    const failures = judgedParts.flatMap((judgedPart) =>
      'failure' in judgedPart ? [judgedPart.failure] : [],
    );
    this.#budget.spend(origin.peer, costOf(reports) + refusalCost * failures.length);
    const [failure] = failures;
    // A report is stored even if other items of the upload are unreadable.
    if (failure && reports.length === 0) return { status: 'refused', failure };
    // The sender keeps the mail and tries again until the key can be looked up (RFC 6376
    // §6.1.2).
    if (mailbox?.lastTry !== true && reports.some(({ report }) => awaitsKey(report)))
      return { status: 'later', why: 'keys' };
    return this.#store(
      reports.map(({ report }) => report),
      failures,
      origin.peer,
    );
  }

  async #read(itemTask: ItemTask): Promise<readonly JudgedPart[] | undefined> {
    if (this.#reader) return this.#reader.read(itemTask);
    return judgeItem(itemTask, this.#options.verify ?? notVerified);
  }

  /**
   * Returns the report to store. If the reporter has used up its rows of the day, the
   * report has only counts and no details.
   */
  #withinBudget(report: PreparedReport): PreparedReport {
    const isWithin = !isAuthenticated(report.trust) || this.#reporters.admits(report.reporter);
    return isWithin ? report : coarsened(report);
  }

  #chargeReporter(report: PreparedReport, outcome: IntakeOutcome | undefined): void {
    if (isAuthenticated(report.trust) && outcome !== 'repeated')
      this.#reporters.spend(report.reporter, rowsOf(report));
  }

  async #store(
    reports: readonly PreparedReport[],
    failures: readonly Failure[],
    peer: string,
  ): Promise<Receipt> {
    const unauthenticated = reports.filter(({ trust }) => !isAuthenticated(trust)).length;
    if (unauthenticated > 0 && !this.#networks.admits(peer))
      return { status: 'later', why: 'room' };
    try {
      const within = reports.map((report) => this.#withinBudget(report));
      const written = await Promise.all(within.map(this.#write));
      within.forEach((report, index) => this.#chargeReporter(report, written[index]));
      const fresh = written.filter((outcome, index) => {
        const reportTrust = reports[index]?.trust;
        return outcome === 'stored' && reportTrust !== undefined && !isAuthenticated(reportTrust);
      });
      this.#networks.spend(peer, fresh.length);
      const outcomes = written.filter((outcome) => outcome !== 'no-room');
      if (outcomes.length < written.length) return { status: 'later', why: 'room' };
      return {
        status: 'stored',
        reports: reports.map(({ trust, reporter }, index) => ({
          outcome: outcomes[index] ?? 'stored',
          trust,
          reporter,
        })),
        failures,
      };
    } catch {
      return { status: 'later', why: 'store' };
    }
  }
}

/** Returns the number of rows that a report needs in the tables. */
function rowsOf({ policies, failures }: PreparedReport): number {
  return policies.length + failures.length;
}

const notVerified = (): Promise<DkimVerdict> =>
  Promise.resolve({ result: 'temperror', detail: 'not verified' });

/** Returns whether another lookup of the key may change the verdict. */
function awaitsKey({ trust, reason }: PreparedReport): boolean {
  return trust === 'unverifiable' || (trust === 'given' && reason === 'key-unavailable');
}

/**
 * Returns the cost of the reports in an item except the first report, which was charged
 * on arrival.
 */
function costOf(reports: readonly { readonly entries: number }[]): number {
  const entries = reports.reduce((count, one) => count + one.entries, 0);
  return Math.max(0, reports.length - 1) + Math.floor(entries / entriesPerReport);
}

function failuresOf(receipt: Receipt): readonly Failure[] {
  if (receipt.status === 'refused') return [receipt.failure];
  return receipt.status === 'stored' ? receipt.failures : [];
}
