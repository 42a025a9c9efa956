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
 * `hermetic.report/1`: one report, or one refusal, as `hermetic report import --json`
 * prints it, one per line.
 */
export const reportRecordSchema = z
  .strictObject({
    schema: z.literal('hermetic.report/1'),
    /** File, and the number in it from the second on. */
    source: text,
    via: z.enum(['https', 'mail', 'mailbox', 'file']),
    status: z.enum(['accepted', 'refused']),
    refusal: z.strictObject({ code: text, detail: text, says: text }).optional(),
    trust: z
      .strictObject({ verdict: text, counted: z.boolean(), detail: text, signer: text.optional() })
      .optional(),
    /**
     * The reporter for which the report counts: its organisational domain, otherwise its
     * name.
     */
    reporter: text.optional(),
    /** The UTC day that the report is about. */
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
    /** Departures from RFC 8460, and the interpretation of each. */
    notes: z
      .array(z.strictObject({ code: text, path: text, detail: text, count, says: text }))
      .optional(),
    /** Values that no rule covers, as the reporter wrote them. */
    unforeseen: z.array(z.strictObject({ path: text, json: text, count })).optional(),
    /** The outcome of storing it. */
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
    // Members that the reporter omitted are omitted here too.
    report: JSON.parse(JSON.stringify(report)) as ReportRecord['report'],
    notes: notes.map((reportNote) => ({
      ...reportNote,
      says: reportQuirks.entries[reportNote.code].message,
    })),
    unforeseen: [...unforeseen],
    stored,
  };
}
