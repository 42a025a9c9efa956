import { z } from 'zod';
import { csvLine } from '../../base/index.js';
import { checkResultSchema } from '../../evidence/index.js';
import { classIds } from '../classes/class-registry.js';
import { measureValues, type Measures } from '../grade/measures.js';
import { exportColumns, type ColumnValue, type ScanResultRow } from './columns.js';

const text = z.string();
const { verdict, exposure, profile } = checkResultSchema.shape;

const values = measureValues;
const measures = z.strictObject({
  mail: z.enum(values.mail),
  signed: z.enum(values.signed),
  starttls: z.enum(values.starttls),
  tls: z.array(text),
  certificates: z.enum(values.certificates),
  mtaSts: z.enum(values.mtaSts),
  mtaStsHosts: z.enum(values.mtaStsHosts),
  dane: z.enum(values.dane),
  tlsRpt: z.enum(values.tlsRpt),
  inferred: z.boolean(),
});
measures satisfies z.ZodType<Measures>;

/** Validates a line of the JSON export: `hermetic.scan-result/1`. */
export const scanResultSchema = z
  .strictObject({
    schema: z.literal('hermetic.scan-result/1'),
    domain: z.string().min(1),
    rank: z.int().min(1).optional(),
    mailHosts: z.array(text).optional(),
    operators: z.array(text).optional(),
    shape: z.string().regex(/^[0-9a-f]{64}$/),
    profile,
    verdict,
    findings: z.array(
      z.strictObject({ id: text, severity: z.enum(['fail', 'warn', 'info', 'good']) }),
    ),
    exposure,
    classes: z.array(z.enum(classIds)),
    measures,
  })
  .meta({
    id: 'hermetic.scan-result-1',
    title: 'hermetic.scan-result/1',
    description: 'The result of one domain in a scan.',
  });

/** Returns the JSON Schemas of a scan, by file name below `schemas/`. */
export function scanSchemas(): Readonly<Record<string, unknown>> {
  return { 'hermetic.scan-result-1.json': z.toJSONSchema(scanResultSchema) };
}

/** Returns a row as `hermetic.scan-result/1`, in one line with its line end. */
export function jsonLine(row: ScanResultRow): string {
  const { domain, rank, mailHosts, operators, shape, profile, verdict } = row;
  const { findings, exposure, classes, measures } = row;
  const facts = { domain, rank, mailHosts, operators, shape, profile, verdict };
  const result = { ...facts, findings, exposure, classes, measures };
  return `${JSON.stringify({ schema: 'hermetic.scan-result/1', ...result })}\n`;
}

/** The header of the CSV export, with its line end. */
export const csvHeader = csvLine(exportColumns.map(({ name }) => name));

/**
 * Returns a row of the CSV export, with its line end. A cell that looks like a formula is
 * exported as text.
 */
export function csvRow(row: ScanResultRow): string {
  return csvLine(exportColumns.map(({ value }) => cellText(value(row))));
}

function cellText(value: ColumnValue): string {
  return value === undefined ? '' : String(value);
}
