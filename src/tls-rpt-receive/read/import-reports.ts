import { HermeticError, neutralise, type Clock } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import type { ReceivedReport } from '../tables/prepare-report.js';
import { storeReports } from '../tables/store-reports.js';
import type { DkimVerdict, VerifiedItem } from '../types.js';
import { judgeTrust } from '../verify/judge-trust.js';
import { readItem } from './read-item.js';
import { reportRecord, type ReportRecord } from './report-record.js';
import { splitItems } from './split-items.js';
import type { Source } from './walk-sources.js';

/** The destination of an import, the accepted domains, and the limits of one item. */
export interface ImportOptions {
  readonly clock: Clock;
  /**
   * The database in which the reports are stored. Without a database the reports are only
   * read.
   */
  readonly store?: Store;
  /** The domains for which reports are accepted. Empty or absent: all domains. */
  readonly domains?: readonly string[];
  /** Verifies the signatures of a message. */
  readonly verify?: (rawMessage: Uint8Array) => Promise<DkimVerdict>;
  /** Maximum octets of an unpacked report. Default 10 MB. */
  readonly maxBytes?: number;
  /** The known MX hosts of these domains: with DANE they are policy domains. */
  readonly hosts?: ReadonlySet<string>;
  /**
   * Whether a key lookup that fails temporarily ends the import with HermeticError
   * `dkim-key-unavailable` before any report of the mail is stored: a mail server that
   * pipes mail to this program then retries (RFC 6376 §6.1.2). Default: the reports of
   * such mail are stored but do not count.
   */
  readonly retryKeys?: boolean;
}

/** Number of reports that are stored in one transaction. */
const GROUP = 200;

/**
 * Reads all reports in the sources and stores them in groups. Yields a record after its
 * report is durable. The memory does not grow with the number of reports.
 */
export async function* importReports(
  sources: AsyncIterable<Source>,
  options: ImportOptions,
): AsyncGenerator<ReportRecord> {
  const { clock, store, domains, hosts, verify, maxBytes, retryKeys = false } = options;
  let waiting: VerifiedItem[] = [];
  for await (const source of sources)
    for await (const { bytes, number, inMailbox } of splitItems(source.open())) {
      const name = number === 1 ? source.name : `${source.name}:${number}`;
      const readings = await readItem(bytes, {
        name,
        via: 'file',
        fromMailbox: inMailbox,
        maxMails: Infinity,
        maxReports: Infinity,
        maxBytes,
        verify,
      });
      const judged = readings.map((reading) =>
        judgeTrust(reading, { at: clock.now(), hosts, domains }),
      );
      const pending = judged.find(({ parsed, trust }) => parsed.ok && trust === 'unverifiable');
      if (retryKeys && pending) throw keyUnavailable(pending);
      waiting.push(...judged);
      if (waiting.length < (store ? GROUP : 1)) continue;
      yield* records(waiting, clock.now(), store);
      waiting = [];
    }
  yield* records(waiting, clock.now(), store);
}

function keyUnavailable({ name, detail }: VerifiedItem): HermeticError {
  return new HermeticError(
    'dkim-key-unavailable',
    `${name}: the DKIM key could not be looked up (${neutralise(detail, 200)})`,
    { fix: 'Check the resolver; the mail server sends the mail again.' },
  );
}

function records(
  readings: readonly VerifiedItem[],
  receivedAt: number,
  stateStore: Store | undefined,
): readonly ReportRecord[] {
  if (!stateStore) return readings.map((reading) => reportRecord(reading));
  const received: ReceivedReport[] = readings.flatMap((reading) =>
    reading.parsed.ok ? [{ reading, parsed: reading.parsed.value, receivedAt }] : [],
  );
  const outcomes = storeReports(stateStore, received);
  let next = 0;
  return readings.map((reading) =>
    reportRecord(reading, reading.parsed.ok ? outcomes[next++] : undefined),
  );
}
