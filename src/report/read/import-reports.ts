import type { Clock } from '../../base/index.js';
import type { Store } from '../../store/index.js';
import type { ReceivedReport } from '../tables/prepare-report.js';
import { storeReports } from '../tables/store-reports.js';
import type { DkimVerdict, JudgedReading } from '../types.js';
import { judgeTrust } from '../verify/judge-trust.js';
import { readItem } from './read-item.js';
import { reportRecord, type ReportRecord } from './report-record.js';
import { splitItems } from './split-items.js';
import type { Source } from './walk-sources.js';

export interface ImportOptions {
  readonly clock: Clock;
  /** Where reports go. Without it they are only read. */
  readonly store?: Store;
  /** Domains whose reports count. None: all. */
  readonly domains?: readonly string[];
  /** Judges the signatures of mails. */
  readonly verify?: (mail: Uint8Array) => Promise<DkimVerdict>;
  /** Octets of a report unpacked. Default 10 MB. */
  readonly maxBytes?: number;
}

const group = 200;

/** Reads every report in the sources, and stores them in groups. What is yielded is durable; memory does not grow with the number of reports. */
export async function* importReports(
  sources: AsyncIterable<Source>,
  options: ImportOptions,
): AsyncGenerator<ReportRecord> {
  const { clock, store, domains, verify, maxBytes } = options;
  let waiting: JudgedReading[] = [];
  for await (const source of sources)
    for await (const { bytes, number } of splitItems(source.open())) {
      const name = number === 1 ? source.name : `${source.name}:${number}`;
      const limits = {
        ...(maxBytes === undefined ? {} : { maxBytes }),
        ...(verify ? { verify } : {}),
      };
      const readings = await readItem(bytes, {
        name,
        via: 'file',
        maxMails: Infinity,
        maxReports: Infinity,
        ...limits,
      });
      waiting.push(
        ...readings.map((reading) =>
          judgeTrust(reading, { at: clock.now(), ...(domains ? { domains } : {}) }),
        ),
      );
      if (waiting.length < (store ? group : 1)) continue;
      yield* records(waiting, clock.now(), store);
      waiting = [];
    }
  yield* records(waiting, clock.now(), store);
}

function records(
  readings: readonly JudgedReading[],
  receivedAt: number,
  store: Store | undefined,
): readonly ReportRecord[] {
  if (!store) return readings.map((reading) => reportRecord(reading));
  const received: ReceivedReport[] = readings.flatMap((reading) =>
    reading.parsed.ok ? [{ reading, parsed: reading.parsed.value, receivedAt }] : [],
  );
  const outcomes = storeReports(store, received);
  let next = 0;
  return readings.map((reading) =>
    reportRecord(reading, reading.parsed.ok ? outcomes[next++] : undefined),
  );
}
