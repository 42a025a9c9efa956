import { fail, nearest, ok, type Result } from '../base/index.js';
import { stsFailures } from './failures.js';
import { explainMode, explainMx, explainValue } from './policy-faults.js';
import { isNear, quote, readLines, type PolicyLine } from './policy-lines.js';

/**
 * The mode of a policy (RFC 8461 §5): refuse hosts that fail validation, only report
 * them, or withdraw the policy.
 */
export type StsMode = 'enforce' | 'testing' | 'none';

/** A policy as parsed from the body of `mta-sts.txt`. */
export interface StsPolicy {
  readonly mode: StsMode;
  /** Lifetime of the policy in seconds, at most a year. */
  readonly maxAge: number;
  /** Patterns in lower case: a host name, or `*.` and a host name. */
  readonly mx: readonly string[];
}

/** Maximum `max_age` in seconds; larger values are reduced to it (RFC 8461 §3.2). */
export const MAX_AGE = 31_557_600;
const hostPattern =
  /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * Parses a policy body (RFC 8461 §3.2). Lines end in LF or CRLF and unknown fields are
 * ignored. If a field is repeated, only the first one counts, except for `mx`. A
 * `max_age` above one year is reduced to a year. Empty lines are accepted: the ABNF
 * permits them, and rejecting them would lose real policies. A failure names the line at
 * fault.
 *
 * [8461-3.2-3, 8461-3.2-4, 8461-3.2-5, 8461-3.2-6, 8461-3.2-7, 8461-3.2-8, 8461-3.2-10]
 * [8461-3.2-11]
 */
export function parsePolicy(body: Uint8Array | string): Result<StsPolicy> {
  const invalid = (detail: string): Result<StsPolicy> =>
    fail(stsFailures.make('sts-policy-invalid', detail));
  const lines = readLines(body);
  if (typeof lines === 'string') return invalid(lines);
  const first = (fieldName: string): PolicyLine | undefined =>
    lines.find((policyLine) => policyLine.key === fieldName);
  const [version, mode, age] = [first('version'), first('mode'), first('max_age')];
  if (version?.value !== 'STSv1')
    return invalid(faultOf('version', version, lines, explainVersion));
  if (mode?.value !== 'enforce' && mode?.value !== 'testing' && mode?.value !== 'none')
    return invalid(faultOf('mode', mode, lines, explainMode));
  if (age === undefined || !/^\d{1,10}$/.test(age.value))
    return invalid(faultOf('max_age', age, lines, explainAge));
  const hosts = lines.filter((policyLine) => policyLine.key === 'mx');
  const odd = hosts.find(
    ({ value }) => value.length > 255 || !hostPattern.test(value.toLowerCase()),
  );
  if (odd !== undefined) return invalid(faultOf('mx', odd, lines, explainMx));
  if (mode.value !== 'none' && hosts.length === 0) return invalid(missing('mx', lines));
  const maxAge = Math.min(Number(age.value), MAX_AGE);
  return ok({ mode: mode.value, maxAge, mx: hosts.map(({ value }) => value.toLowerCase()) });
}

/**
 * Explains the fault of a field: the field is missing, holds extra text, or has a wrong
 * value.
 */
function faultOf(
  fieldName: string,
  policyLine: PolicyLine | undefined,
  policyLines: readonly PolicyLine[],
  explain: (policyLine: PolicyLine) => string,
): string {
  if (!policyLine) return missing(fieldName, policyLines);
  return explainValue(policyLine) ?? explain(policyLine);
}

function explainVersion(policyLine: PolicyLine): string {
  return `${quote(policyLine)}: the only valid version is STSv1`;
}

/** Explains the fault of a max_age, which has one to ten digits (RFC 8461 §3.2). */
function explainAge(policyLine: PolicyLine): string {
  const { length } = policyLine.value;
  const reason = /^\d+$/.test(policyLine.value)
    ? `max_age has ${length} digits, at most 10 are allowed`
    : 'max_age is a number of seconds, digits only';
  return `${quote(policyLine)}: ${reason}`;
}

const fieldNames: readonly string[] = ['version', 'mode', 'mx', 'max_age'];

/**
 * Returns whether a written name is a misspelt field name. Two edits would turn any two
 * letters into `mx`, so only an added letter counts, as in `nmx` or `mxs`.
 */
function isMisspelt(written: string, fieldName: string): boolean {
  return fieldName === 'mx'
    ? /^mx|^.?mx.?$/i.test(written)
    : nearest(written, [fieldName]) !== undefined;
}

/** Explains a missing field, which may be present under another spelling. */
function missing(fieldName: string, policyLines: readonly PolicyLine[]): string {
  const near = policyLines.find((policyLine) => isNear(policyLine.key, fieldName));
  if (near) return `${quote(near)}: field names are case-sensitive, write ${fieldName}`;
  const misspelt = policyLines.find(
    ({ key }) => !fieldNames.includes(key) && isMisspelt(key, fieldName),
  );
  if (misspelt)
    return `no ${fieldName}; ${quote(misspelt)} has a field name that senders do not know`;
  return `no ${fieldName}`;
}

/** Formats a policy so that every sender parses it. [8461-3.2-13] */
export function formatPolicy({ mode, maxAge, mx }: StsPolicy): string {
  return [
    'version: STSv1',
    `mode: ${mode}`,
    ...mx.map((pattern) => `mx: ${pattern}`),
    `max_age: ${maxAge}`,
    '',
  ].join('\r\n');
}
