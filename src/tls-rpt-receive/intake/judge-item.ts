import type { Failure } from '../../base/index.js';
import { readItem } from '../read/read-item.js';
import { prepareReport, type PreparedReport } from '../tables/prepare-report.js';
import type { DkimVerdict, Via } from '../types.js';
import { judgeTrust } from '../verify/judge-trust.js';

/**
 * A body or a message, and the options for reading and judging it. All members are plain
 * data, which can be sent to another thread.
 */
export interface ItemTask {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly via: Via;
  readonly peer: string;
  /** The time of arrival in milliseconds since 1970. */
  readonly at: number;
  readonly domains: readonly string[];
  readonly hosts: ReadonlySet<string>;
  readonly maxBytes?: number | undefined;
  readonly maxReports?: number | undefined;
  readonly trustedMailbox?: boolean | undefined;
}

/** A report in an item, or the reason why a part of the item is not a report. */
export type JudgedPart =
  | {
      readonly report: PreparedReport;
      /**
       * The number of policies and failure details in the report, which determines the
       * cost of reading.
       */
      readonly entries: number;
    }
  | { readonly failure: Failure };

/** Reads an item, judges each report in it, and prepares the rows of the report. */
export async function judgeItem(
  itemTask: ItemTask,
  verify: (rawMessage: Uint8Array) => Promise<DkimVerdict>,
): Promise<readonly JudgedPart[]> {
  const { bytes, name, via, peer, at, domains, hosts, maxBytes, maxReports } = itemTask;
  const { trustedMailbox } = itemTask;
  const readings = await readItem(bytes, {
    name,
    via,
    peer,
    verify,
    maxBytes,
    maxReports,
  });
  return readings.map((reading): JudgedPart => {
    const { parsed } = reading;
    if (!parsed.ok) return { failure: parsed.failure };
    const judged = judgeTrust(reading, { at, domains, hosts, trustedMailbox });
    const { policies } = parsed.value.report;
    return {
      report: prepareReport({ reading: judged, parsed: parsed.value, receivedAt: at }),
      entries: policies.reduce((count, { failureDetails }) => count + 1 + failureDetails.length, 0),
    };
  });
}
