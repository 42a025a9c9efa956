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

/** The destination of an import, the trusted domains and the limits of one item. */
export interface ImportOptions {
  readonly clock: Clock;
  /** The destination of reports. Without it they are only read. */
  readonly store?: Store;
  /** Domains whose reports count. None: all. */
  readonly domains?: readonly string[];
  /** Judges the signatures of messages. */
  readonly verify?: (rawMessage: Uint8Array) => Promise<DkimVerdict>;
  /** Octets of a report unpacked. Default 10 MB. */
  readonly maxBytes?: number;
  /** The known MX hosts of these domains: with DANE they are policy domains. */
  readonly hosts?: ReadonlySet<string>;
  /**
   * Throws HermeticError `dkim-key-unavailable`, before any report is stored, if a key
   * lookup failed temporarily: a mail server that pipes mail to this program then retries
   * (RFC 6376 §6.1.2). Default: the reports of such mail are stored but do not count.
   */
  readonly retryKeys?: boolean;
}

const group = 200;
/** The limit for a pipe, which is accepted completely or refused. */
const pipedGroup = 5000;

/**
 * Reads every report in the sources, and stores them in groups. Every yielded result is
 * durable; memory does not grow with the number of reports.
 */
export async function* importReports(
  sources: AsyncIterable<Source>,
  options: ImportOptions,
): AsyncGenerator<ReportRecord> {
  const { clock, store, domains, hosts, verify, maxBytes, retryKeys = false } = options;
  const held = retryKeys ? pipedGroup : group;
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
      if (waiting.length < (store ? held : 1)) continue;
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
