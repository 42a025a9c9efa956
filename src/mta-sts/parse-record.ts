import { explainField, trimBlanks, type Failure } from '../base/index.js';
import { stsFailures } from './failures.js';

/** The MTA-STS record of a domain, or its absence. */
export type StsRecord =
  | { readonly status: 'found'; readonly id: string }
  | { readonly status: 'absent' }
  | { readonly status: 'invalid'; readonly failure: Failure };

const field = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/;

/**
 * Parses the TXT records at `_mta-sts.DOMAIN` (RFC 8461 §3.1). Records that do not begin
 * with `v=STSv1` are discarded; exactly one must remain. A space before the first
 * semicolon is allowed by the ABNF. The first `id` counts [8461-3.2-10].
 *
 * [8461-3.1-2, 8461-3.1-3, 8461-3.1-4, 8461-3.1-5, 8461-3.1-6, 8461-3.1-7, 8461-3.1-8]
 * [8461-3.1-9]
 */
export function parseStsRecord(texts: readonly string[]): StsRecord {
  const records = texts.filter((recordText) => /^v=STSv1[ \t]*(;|$)/.test(recordText));
  const [record] = records;
  if (record === undefined) return { status: 'absent' };
  if (records.length > 1)
    return {
      status: 'invalid',
      failure: stsFailures.make('sts-record-multiple', `${records.length} records`),
    };
  const invalid = (detail: string): StsRecord => ({
    status: 'invalid',
    failure: stsFailures.make('sts-record-invalid', detail),
  });
  if (!/^[\x20-\x7e\t]*$/.test(record)) return invalid('characters outside US-ASCII');
  const fields = record.split(';').map(trimBlanks);
  // One final semicolon is allowed; an empty field elsewhere is not.
  if (fields.at(-1) === '') fields.pop();
  const bad = fields.find((fieldText) => !field.test(fieldText));
  if (bad !== undefined) return invalid(explainField(bad.slice(0, 100)));
  const policyId = fields.find((fieldText) => fieldText.startsWith('id='))?.slice(3);
  if (policyId === undefined) return invalid(whyNoId(fields));
  if (/^[A-Za-z0-9]{1,32}$/.test(policyId)) return { status: 'found', id: policyId };
  return invalid(whyNotId(policyId));
}

function whyNoId(fields: readonly string[]): string {
  const near = fields.find((fieldText) => /^id=/i.test(fieldText));
  if (near === undefined) return 'it has no id';
  return `"${near.slice(0, 100)}": field names are case-sensitive, write id`;
}

function whyNotId(policyId: string): string {
  if (/^[A-Za-z0-9]+$/.test(policyId))
    return `id has ${policyId.length} characters, at most 32 are allowed`;
  return `id "${policyId.slice(0, 100)}" may hold letters and digits only`;
}
