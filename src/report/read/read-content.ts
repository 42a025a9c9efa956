import { ok, type Result } from '../../base/index.js';
import { parseReport, type ParsedReport, type QuirkCode, type UnpackedReport } from '../../tls-rpt/index.js';

export interface ReadContentOptions {
  /** The policy domain by header or file name. */
  readonly domain?: string | undefined;
  readonly quirks?: readonly QuirkCode[];
}

/** Parses one report that was unpacked; what was odd about its wrapping comes first among the notes. */
export function readUnpacked(unpacked: UnpackedReport, { domain, quirks = [] }: ReadContentOptions): Result<ParsedReport> {
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
