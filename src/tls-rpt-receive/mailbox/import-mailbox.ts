import { ok, type Clock, type Result } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import { createReceiver, type Receipt } from '../intake/receiver.js';
import { knownHosts } from '../tables/checks.js';
import { openPreview } from '../tables/preview-reports.js';
import { isAuthenticated } from '../types.js';
import type { LookupKeys } from '../verify/verify-dkim.js';
import { MailboxReader, type MailboxReaderOptions, type MailFate } from './mailbox-reader.js';
import type { ReportMailbox } from './mailbox.js';

/** The mailbox, the database and the choices of the operator. */
export interface ImportMailboxOptions extends Pick<
  MailboxReaderOptions,
  'name' | 'open' | 'after' | 'moveTo' | 'trusted'
> {
  readonly store: Store;
  readonly clock: Clock;
  /** The domains, with their subdomains, for which reports are accepted. */
  readonly domains: readonly string[];
  readonly keys: LookupKeys;
  readonly signal: AbortSignal;
  /** Whether to store nothing, and to remove nothing from the mailbox. */
  readonly isDryRun: boolean;
  /** Receives the number of mails that were read until now. */
  readonly onMail?: (mails: number) => void;
}

/**
 * The numbers of mails and reports of an import, even of one that failed before its end.
 */
export interface MailboxImport {
  /** The outcome of the import: a failure if it ended before the last mail. */
  readonly result: Result<undefined>;
  readonly fates: ReadonlyMap<MailFate, number>;
  /**
   * Number of mails to try again later, mostly because their DKIM keys could not be
   * looked up.
   */
  readonly pending: number;
  /** Numbers of new reports, and of reports that were already stored. */
  readonly fresh: number;
  readonly known: number;
  /** Number of new reports that are excluded from the sums, by trust. */
  readonly uncounted: ReadonlyMap<string, number>;
  /** Number of mails that were refused, by failure code. */
  readonly refused: ReadonlyMap<string, number>;
}

/**
 * Reads a mailbox once, in the same way as the daemon. Import and daemon share the
 * position in the mailbox: after an import the daemon reads only later mail.
 *
 * A dry run takes the same steps with a database in memory. This database starts with the
 * position and the reports of the real one, so a dry run has the same result as an
 * import.
 */
export async function importMailbox(options: ImportMailboxOptions): Promise<MailboxImport> {
  const { store, clock, domains, keys, signal, isDryRun, onMail } = options;
  const target = isDryRun ? await openPreview(store) : store;
  const counts = new ReceiptCounts();
  const hosts = knownHosts(store, domains);
  const receiver = createReceiver({
    store: target,
    clock,
    domains,
    keys,
    hosts: () => hosts,
    onReceipt: (receipt) => {
      counts.add(receipt);
      onMail?.(counts.mails);
    },
  });
  const reader = new MailboxReader({
    ...options,
    store: target,
    receiver,
    open: isDryRun ? withoutRemoval(options.open) : options.open,
    pollMs: Infinity,
    onFailure: () => undefined,
  });
  try {
    const result = await reader.readOnce(signal);
    const { fates, pending } = reader.status;
    return { result, fates, pending, ...counts.totals };
  } finally {
    await receiver.close();
    if (isDryRun) target.close();
  }
}

/** Returns a function that opens a mailbox for a dry run, which never removes mail. */
function withoutRemoval(open: MailboxReaderOptions['open']): MailboxReaderOptions['open'] {
  return async (signal) => {
    const opened = await open(signal);
    if (!opened.ok) return opened;
    const { value: mailbox } = opened;
    const kept: ReportMailbox = {
      uidValidity: mailbox.uidValidity,
      list: (fromUid) => mailbox.list(fromUid),
      describe: (uids) => mailbox.describe(uids),
      fetch: (uids, maxOctets) => mailbox.fetch(uids, maxOctets),
      remove: () => Promise.resolve(ok(undefined)),
      untilMail: (abortSignal) => mailbox.untilMail(abortSignal),
      close: () => mailbox.close(),
    };
    return ok(kept);
  };
}

/** A counter of the receipts of an import. */
class ReceiptCounts {
  mails = 0;
  readonly totals = {
    fresh: 0,
    known: 0,
    uncounted: new Map<string, number>(),
    refused: new Map<string, number>(),
  };

  add(receipt: Receipt): void {
    this.mails++;
    if (receipt.status === 'refused') increment(this.totals.refused, receipt.failure.code);
    if (receipt.status !== 'stored') return;
    for (const { code } of receipt.failures) increment(this.totals.refused, code);
    for (const { outcome, trust } of receipt.reports) {
      if (outcome === 'repeated') this.totals.known++;
      else this.totals.fresh++;
      if (outcome !== 'repeated' && !isAuthenticated(trust))
        increment(this.totals.uncounted, trust);
    }
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
