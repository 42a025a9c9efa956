import { fail, ok, type Result } from '../../base/index.js';
import { objectsIn, parseReport, reportFailures, type ParsedReport, type QuirkCode, type UnpackedReport } from '../../tls-rpt/index.js';

export interface ReadContentOptions {
  /** What to keep where the text is one report: that before it was unpacked. Default the text. */
  readonly raw?: Uint8Array | undefined;
  /** The policy domain by header or file name. */
  readonly domain?: string | undefined;
  readonly quirks?: readonly QuirkCode[];
}

/** One report, or one refusal. */
export interface ContentReading {
  /** The report as it came, still packed; where several came together, its own part. */
  readonly raw: Uint8Array;
  readonly parsed: Result<ParsedReport>;
}

const MAX_PARTS = 10_000;

/** The report in a text; or those in an array or one after the other: no report by RFC 8460, but what programs that gather reports write. */
export function readContent(content: UnpackedReport, options: ReadContentOptions): readonly ContentReading[] {
  const { raw = content.bytes } = options;
  const parsed = readOne(content, options);
  if (parsed.ok || !isOtherThing(parsed)) return [{ raw, parsed }];
  const parts = objectsIn(Buffer.from(content.bytes).toString('utf8'), MAX_PARTS + 1);
  if (parts.length > MAX_PARTS) return [{ raw, parsed: fail(reportFailures.make('report-too-complex', `more than ${MAX_PARTS} objects`)) }];
  const readings = parts.map((part) => {
    const bytes = Buffer.from(part);
    return { raw: bytes, parsed: readOne({ ...content, bytes }, options) };
  });
  return readings.length > 1 && readings.some((reading) => reading.parsed.ok) ? reportsAmong(readings) : [{ raw, parsed }];
}

/** Without what is no report and does not look like one, unless there is nothing else: side files in an archive, pictures in a mail. */
export function reportsAmong<T extends ContentReading>(readings: readonly T[]): readonly T[] {
  const reports = readings.filter(({ raw, parsed }) => parsed.ok || !isOtherThing(parsed) || looksLikeReport(raw));
  return reports.length > 0 ? reports : readings.slice(0, 1);
}

function looksLikeReport(raw: Uint8Array): boolean {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  return text.includes('"policies"') || /^\s*\{\s*"/.test(text.toString('latin1', 0, 100));
}

function isOtherThing(parsed: Result<ParsedReport>): boolean {
  return !parsed.ok && ['report-not-json', 'report-no-policies', 'report-empty', 'report-missing'].includes(parsed.failure.code);
}

/** Parses one report that was unpacked; what was odd about its wrapping comes first among the notes. */
function readOne(unpacked: UnpackedReport, { domain, quirks = [] }: ReadContentOptions): Result<ParsedReport> {
  const parsed = parseReport(unpacked.bytes, domain === undefined ? {} : { domain });
  const wrapping = [...quirks, ...unpacked.quirks];
  if (!parsed.ok || wrapping.length === 0) return parsed;
  return ok({ ...parsed.value, notes: [...wrapping.map((code) => ({ code, path: '', detail: '', count: 1 })), ...parsed.value.notes] });
}

/** The policy domain in a file name of RFC 8460 §5.1, `sender!policy-domain!begin!end[!id].json[.gz]`. */
export function domainOfName(name: string): string | undefined {
  const [, domain, begin] = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1).split('!');
  return begin === undefined ? undefined : domain;
}
