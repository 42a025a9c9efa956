import { fail, ok, type Result } from '../../base/index.js';
import {
  decodeText,
  objectsIn,
  parseReport,
  reportFailures,
  type ParsedReport,
  type QuirkCode,
  type UnpackedReport,
} from '../../tls-rpt/index.js';

/**
 * The origin of a text, which supplies members that a report lacks, and the maximum
 * number of objects.
 */
export interface ReadContentOptions {
  /**
   * The packed octets, which are stored if the text is one report. Default: the octets of
   * the text.
   */
  readonly raw?: Uint8Array | undefined;
  /** The policy domain that the header of the mail or the file name states. */
  readonly domain?: string | undefined;
  readonly quirks?: readonly QuirkCode[];
  /**
   * Maximum number of objects to examine if the text is not one report. Default 10
   * 000.
   */
  readonly maxObjects?: number;
}

/** A report, or the reason for its refusal. */
export interface ParsedContent {
  /**
   * The report as received, still packed. If the text contains several reports, only the
   * part with this report.
   */
  readonly raw: Uint8Array;
  readonly parsed: Result<ParsedReport>;
}

/** Maximum number of objects in one text that are examined as reports. */
const MAX_OBJECTS = 10_000;
/** Maximum number of nested objects around a report. */
const MAX_LEVELS = 4;

/**
 * Returns the report in a text, or the reports in an array, in a sequence or in another
 * object. RFC 8460 does not define these forms, but programs that gather reports write
 * them.
 */
export function readContent(
  content: UnpackedReport,
  options: ReadContentOptions,
): readonly ParsedContent[] {
  const { raw = content.bytes, maxObjects = MAX_OBJECTS } = options;
  const parsed = readOne(content, options);
  if (parsed.ok || !isOtherThing(parsed)) return [{ raw, parsed }];
  const parts = objectsWithin(decodeText(content.bytes), content, options, MAX_LEVELS);
  if (parts.length > maxObjects) return [{ raw, parsed: tooMany(maxObjects) }];
  return parts.some((part) => part.parsed.ok) ? reportsAmong(parts) : [{ raw, parsed }];
}

/**
 * Returns the outermost objects in a text. An object that is not a report is replaced by
 * the objects in it.
 */
function objectsWithin(
  messageText: string,
  content: UnpackedReport,
  options: ReadContentOptions,
  levels: number,
): readonly ParsedContent[] {
  if (levels === 0) return [];
  const { maxObjects = MAX_OBJECTS } = options;
  const readings: ParsedContent[] = [];
  for (const object of objectsIn(messageText, maxObjects + 1)) {
    const raw = Buffer.from(object);
    const parsed = readOne({ ...content, bytes: raw }, options);
    const around =
      !parsed.ok && parsed.failure.code === 'report-no-policies' && object.includes('olicies"');
    const quirks = [...new Set([...(options.quirks ?? []), 'level-extra' as const])];
    const inner = around
      ? objectsWithin(object.slice(1, -1), content, { ...options, quirks }, levels - 1)
      : [];
    readings.push(...(inner.some((reading) => reading.parsed.ok) ? inner : [{ raw, parsed }]));
    if (readings.length > maxObjects) break;
  }
  return readings;
}

/** Returns the refusal for a text with too many objects. */
function tooMany(most: number): Result<ParsedReport> {
  return fail(reportFailures.make('report-too-complex', `more than ${most} objects`));
}

/**
 * Returns the readings without files that do not resemble a report, such as pictures in a
 * mail. If only such files exist, returns the first.
 */
export function reportsAmong<T extends ParsedContent>(readings: readonly T[]): readonly T[] {
  const reports = readings.filter(
    (reading) => !isOtherThing(reading.parsed) || looksLikeReport(reading),
  );
  return reports.length > 0 ? reports : readings.slice(0, 1);
}

/**
 * Returns whether a text was meant as a report, so that the refusal of a truncated or
 * malformed report is shown.
 */
function looksLikeReport({ raw, parsed }: ParsedContent): boolean {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  if (text.includes('"policies"')) return true;
  return (
    !parsed.ok &&
    parsed.failure.code === 'report-not-json' &&
    /^\s*\{\s*"/.test(text.toString('latin1', 0, 100))
  );
}

/** Failure codes of files that were not meant as a report. */
const OTHER_THINGS = [
  'report-not-json',
  'report-is-dmarc',
  'report-no-policies',
  'report-empty',
  'report-missing',
];

/**
 * Returns whether the refusal means that a file is not a report, and not that a report is
 * faulty.
 */
function isOtherThing(parsed: Result<ParsedReport>): boolean {
  return !parsed.ok && OTHER_THINGS.includes(parsed.failure.code);
}

/**
 * Parses an unpacked report. The notes begin with the departures of the mail or archive
 * that contained it.
 */
function readOne(
  unpacked: UnpackedReport,
  { domain, quirks = [] }: ReadContentOptions,
): Result<ParsedReport> {
  const parsed = parseReport(unpacked.bytes, domain === undefined ? {} : { domain });
  const wrapping = [...quirks, ...unpacked.quirks];
  if (!parsed.ok || wrapping.length === 0) return parsed;
  return ok({
    ...parsed.value,
    notes: [
      ...wrapping.map((code) => ({ code, path: '', detail: '', count: 1 })),
      ...parsed.value.notes,
    ],
  });
}

/**
 * Returns the policy domain in a file name of RFC 8460 §5.1,
 * `sender!policy-domain!begin!end[!id].json[.gz]`.
 */
export function domainOfName(fileName: string): string | undefined {
  const [, domainName, begin] = fileName
    .slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1)
    .split('!');
  return begin === undefined ? undefined : domainName;
}
