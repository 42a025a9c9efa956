import { trimBlanks, type Failure } from '../base/index.js';
import { tlsRptFailures } from './failures.js';

/** A TLS-RPT record as a reporter reads it. */
export interface TlsRptRecord {
  /**
   * `found`: the record has at least one usable URI. A reporter sends no reports if the
   * status is `invalid` or `absent`.
   */
  readonly status: 'found' | 'absent' | 'invalid';
  /** Usable URIs, as published. */
  readonly rua: readonly string[];
  /**
   * Faults of the record. If the status is `found`, these are faults of single URIs,
   * which the reporter skips.
   */
  readonly problems: readonly Failure[];
}

/**
 * Maximum number of URIs that are used from one record. A publisher could otherwise
 * direct any number of reports at third parties.
 */
const MAX_RUA = 20;

/**
 * Parses the TXT records at `_smtp._tls.DOMAIN` (RFC 8460 §3) [8460-3-1]. Records of
 * other kinds are discarded, and exactly one record must remain
 * [8460-3-2, 8460-3-12, 8460-3-13]. Unknown fields are ignored [8460-3-9, 8460-3-10]. A
 * record may have several `rua` fields, each with several URIs
 * [8460-3-3, 8460-3-4, 8460-3-5, 8460-3-6].
 */
export function parseTlsRptRecord(texts: readonly string[]): TlsRptRecord {
  const records = texts.filter((recordText) => /^v=TLSRPTv1[ \t]*(;|$)/.test(recordText));
  const [record] = records;
  if (record === undefined) return { status: 'absent', rua: [], problems: [] };
  const invalid = (failure: Failure): TlsRptRecord => ({
    status: 'invalid',
    rua: [],
    problems: [failure],
  });
  if (records.length > 1)
    return invalid(tlsRptFailures.make('rpt-record-multiple', `${records.length} records`));
  if (!/^[\x20-\x7e\t]*$/.test(record))
    return invalid(tlsRptFailures.make('rpt-record-invalid', 'characters outside US-ASCII'));
  const fields = record.split(';').map(trimBlanks);
  if (fields.at(-1) === '') fields.pop();
  const bad = fields.find((fieldText) => !isField(fieldText));
  if (bad !== undefined)
    return invalid(
      tlsRptFailures.make('rpt-record-invalid', bad.slice(0, 100) || 'an empty field'),
    );
  const rua = fields
    .filter((fieldText) => ruaStart.test(fieldText))
    .map((fieldText) => fieldText.replace(/^rua[ \t]*=[ \t]*/, ''));
  if (rua.length === 0) return invalid(tlsRptFailures.make('rpt-rua-missing'));
  const uris = rua
    .flatMap((list) => list.split(','))
    .map(trimBlanks)
    .slice(0, MAX_RUA);
  const usable = uris.filter(isUsable);
  const problems = uris
    .filter((reportUri) => !isUsable(reportUri))
    .map((reportUri) => tlsRptFailures.make('rpt-rua-invalid', reportUri.slice(0, 100)));
  return { status: usable.length > 0 ? 'found' : 'invalid', rua: usable, problems };
}

/**
 * The start of the `rua` field, the only defined field; its name is in lower case (RFC
 * 8460 §3).
 */
const ruaStart = /^rua[ \t]*=/;

/**
 * Returns true for a field that follows the grammar of RFC 8460 §3: spaces and tabs are
 * allowed around the commas of `rua` [8460-3-4], and nowhere else within a field.
 */
function isField(fieldText: string): boolean {
  const joined = ruaStart.test(fieldText)
    ? fieldText.split(',').map(trimBlanks).join(',')
    : fieldText;
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}[ \t]*=[ \t]*[\x21-\x3a\x3c-\x7e][\x20-\x3a\x3c-\x7e]*$/.test(
    joined,
  );
}

/**
 * Returns true for a mailto or https URI in which `,`, `!` and `;` are percent-encoded
 * (RFC 8460 §3) [8460-3-7, 8460-3-8, 8460-3-14].
 */
function isUsable(reportUri: string): boolean {
  if (/[\s!,;<>"]/.test(reportUri)) return false;
  if (/^mailto:/i.test(reportUri)) return /^mailto:[^@?]+@[A-Za-z0-9.-]+(\?.*)?$/i.test(reportUri);
  return /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?([/?].*)?$/i.test(reportUri);
}
