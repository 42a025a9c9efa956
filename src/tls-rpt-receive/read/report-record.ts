import { z } from 'zod';
import { neutralise } from '../../base/index.js';
import { reportDay, reportFailures, reportQuirks } from '../../tls-rpt/index.js';
import type { StoreOutcome } from '../tables/store-reports.js';
import { counts, type VerifiedItem } from '../types.js';

const text = z.string();
const count = z.number().int().min(0);

const detail = z.strictObject({
  resultType: text,
  sendingMtaIp: text.optional(),
  receivingMxHostname: text.optional(),
  receivingMxHelo: text.optional(),
  receivingIp: text.optional(),
  failedSessionCount: count,
  additionalInformation: text.optional(),
  failureReasonCode: text.optional(),
});

const policy = z.strictObject({
  policyType: text,
  policyDomain: text.optional(),
  policyString: z.array(text),
  mxHost: z.array(text),
  totalSuccessfulSessionCount: count,
  totalFailureSessionCount: count,
  failureDetails: z.array(detail),
});

/**
 * `hermetic.report/1`: one report or one refusal. `hermetic report import --json` prints
 * each on one line.
 */
export const reportRecordSchema = z
  .strictObject({
    schema: z.literal('hermetic.report/1'),
    /**
     * The file name, with the number of the report in the file from the second report on.
     */
    source: text,
    via: z.enum(['https', 'mail', 'mailbox', 'file']),
    status: z.enum(['accepted', 'refused']),
    refusal: z.strictObject({ code: text, detail: text, says: text }).optional(),
    trust: z
      .strictObject({ verdict: text, counted: z.boolean(), detail: text, signer: text.optional() })
      .optional(),
    /**
     * The organisational domain of the reporter; if unknown, the name of the reporter.
     */
    reporter: text.optional(),
    /** The UTC day that the report covers. */
    day: z.iso.date().optional(),
    totals: z.strictObject({ successful: count, failed: count }).optional(),
    report: z
      .strictObject({
        organizationName: text.optional(),
        startDatetime: z.iso.datetime().optional(),
        endDatetime: z.iso.datetime().optional(),
        contactInfo: text.optional(),
        reportId: text.optional(),
        policies: z.array(policy),
      })
      .optional(),
    /** The departures from RFC 8460, each with the interpretation by this program. */
    notes: z
      .array(z.strictObject({ code: text, path: text, detail: text, count, says: text }))
      .optional(),
    /** Values that this program does not interpret, as the reporter wrote them. */
    unforeseen: z.array(z.strictObject({ path: text, json: text, count })).optional(),
    /** The outcome of storing the report. */
    stored: z.enum(['stored', 'repeated', 'confirmed', 'superseded']).optional(),
  })
  .meta({
    id: 'hermetic.report-1',
    title: 'hermetic.report/1',
    description: 'One TLS-RPT report as it was read, or why it was refused.',
  });

/** One report as `hermetic.report/1` prints it. */
export type ReportRecord = z.infer<typeof reportRecordSchema>;

/** Returns the record of one item, as `report import --json` prints it. */
export function reportRecord(reading: VerifiedItem, stored?: StoreOutcome): ReportRecord {
  const { name: source, via, parsed, trust, mail, reporter } = reading;
  const head = { schema: 'hermetic.report/1', source, via } as const;
  if (!parsed.ok) {
    const { code, detail } = parsed.failure;
    const says = reportFailures.find(code)?.message ?? '';
    return { ...head, status: 'refused', refusal: { code, detail: neutralise(detail), says } };
  }
  const { report, notes, unforeseen } = parsed.value;
  const dayNumber = reportDay(report);
  const sum = (column: 'totalSuccessfulSessionCount' | 'totalFailureSessionCount'): number =>
    report.policies.reduce((total, entry) => total + entry[column], 0);
  const signer = mail?.dkim.signer;
  return {
    ...head,
    status: 'accepted',
    trust: {
      verdict: trust,
      counted: counts(trust),
      detail: reading.detail,
      signer: signer === undefined ? undefined : neutralise(signer, 300),
    },
    reporter,
    day: dayNumber === undefined ? undefined : new Date(dayNumber).toISOString().slice(0, 10),
    totals: {
      successful: sum('totalSuccessfulSessionCount'),
      failed: sum('totalFailureSessionCount'),
    },
    // The conversion to JSON removes members that are undefined because the reporter
    // omitted them.
    report: JSON.parse(JSON.stringify(report)) as ReportRecord['report'],
    notes: notes.map((reportNote) => ({
      ...reportNote,
      says: reportQuirks.entries[reportNote.code].message,
    })),
    unforeseen: [...unforeseen],
    stored,
  };
}
