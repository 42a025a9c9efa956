import { fail } from '../../base/index.js';
import { reportFailures, unpackReports } from '../../tls-rpt/index.js';
import type { DkimVerdict, ReportItem, Via } from '../types.js';
import { mailIn } from './mail-in.js';
import { domainOfName, readContent, reportsAmong } from './read-content.js';
import { itemsIn } from './split-items.js';

/** The origin and the limits of an item, and the function that verifies signatures. */
export interface ReadItemOptions {
  readonly name: string;
  readonly via: Via;
  readonly peer?: string;
  /** Maximum octets of an unpacked report. Default 10 MB. */
  readonly maxBytes?: number;
  /**
   * Maximum number of mails in one body, since each causes key lookups. Default 10. A
   * body with more mails is refused.
   */
  readonly maxMails?: number;
  /**
   * Maximum number of reports, and of lines that are not reports, in one body. Default
   * 10,000. A body with more of them is refused.
   */
  readonly maxReports?: number;
  /** Whether the octets are an entry of a mailbox. */
  readonly fromMailbox?: boolean;
  /**
   * Verifies the signatures of a mail. Without this function all signatures count as
   * unverified.
   */
  readonly verify?: (rawMessage: Uint8Array) => Promise<DkimVerdict>;
}

const MAX_OBJECTS = 10_000;
const notAsked: DkimVerdict = { result: 'temperror', detail: 'not verified' };

const notNeeded: DkimVerdict = { result: 'none', detail: 'not verified' };

/**
 * Reads all reports in a message or a body, packed or not. An archive, an mbox, a JSON
 * array and JSON lines may contain several reports.
 */
export async function readItem(
  messageBytes: Uint8Array,
  options: ReadItemOptions,
): Promise<readonly ReportItem[]> {
  const { name, via, peer, maxBytes, maxMails = 10, maxReports = 10_000, verify } = options;
  const { fromMailbox = false } = options;
  const domain = domainOfName(name);
  const maxObjects = Math.min(maxReports, MAX_OBJECTS);
  const readings: Omit<ReportItem, 'name' | 'via'>[] = [];
  const files = unpackReports(messageBytes, { maxBytes });
  let mails = 0;
  for (const file of files) {
    if (!file.ok) {
      readings.push({ raw: messageBytes, parsed: fail(file.failure) });
      continue;
    }
    for await (const { bytes: item, inMailbox } of itemsIn(file.value.bytes)) {
      const rawMessage = mailIn(item);
      if (rawMessage) mails++;
      if (mails > maxMails || readings.length >= maxReports) {
        const parsed = fail(
          reportFailures.make(
            'report-too-complex',
            `more than ${maxReports} reports or ${maxMails} mails`,
          ),
        );
        return [{ name, via, raw: messageBytes, parsed, peer }];
      }
      if (rawMessage) {
        // The MIME parser is loaded with the first mail.
        const { readMail } = await import('./read-mail.js');
        const read = await readMail(rawMessage, { maxBytes, maxObjects });
        // Keys are looked up only for mail that contains a report.
        const isReport = read.reports.some(({ parsed }) => parsed.ok);
        const dkim = isReport ? await (verify?.(rawMessage) ?? notAsked) : notNeeded;
        const envelope = { ...read.mail, dkim };
        for (const report of read.reports) readings.push({ ...report, mail: envelope });
      } else {
        const raw = files.length === 1 && item === file.value.bytes ? messageBytes : item;
        for (const reading of readContent(
          { ...file.value, bytes: item },
          { raw, domain, maxObjects },
        ))
          readings.push(inMailbox || fromMailbox ? { ...reading, fromMailbox: true } : reading);
      }
    }
  }
  const found = files.length > 1 ? reportsAmong(readings) : readings;
  return found.map((reading, index) => ({
    name: index === 0 ? name : `${name}#${index + 1}`,
    via,
    peer,
    ...reading,
  }));
}
