import { fail, ok, type Result } from '../base/index.js';
import { stsFailures } from './failures.js';
import { explainMode, explainMx } from './policy-faults.js';
import { isNear, quote, readLines, type PolicyLine } from './policy-lines.js';

/**
 * The mode of a policy (RFC 8461 §5): refuse hosts that fail validation, only report
 * them, or withdraw the policy.
 */
export type StsMode = 'enforce' | 'testing' | 'none';

/** A policy as parsed from the body of `mta-sts.txt`. */
export interface StsPolicy {
  readonly mode: StsMode;
  /** Seconds, at most a year. */
  readonly maxAge: number;
  /** Patterns in lower case: a host name, or `*.` and a host name. */
  readonly mx: readonly string[];
}

/** Maximum `max_age` in seconds; larger values are reduced to it (RFC 8461 §3.2). */
export const MAX_AGE = 31_557_600;
const MAX_MX = 1000;
const hostPattern =
  /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * Parses a policy body (RFC 8461 §3.2). Lines end in LF or CRLF and unknown fields are
 * ignored. The first of a repeated field counts, except for `mx`. A `max_age` above one
 * year is reduced to a year. Empty lines are accepted: the ABNF permits them, and
 * rejecting them would lose real policies. A failure names the line at fault.
 *
 * [8461-3.2-3, 8461-3.2-4, 8461-3.2-5, 8461-3.2-6, 8461-3.2-7, 8461-3.2-8, 8461-3.2-10]
 * [8461-3.2-11]
 */
export function parsePolicy(body: Uint8Array | string): Result<StsPolicy> {
  const invalid = (detail: string): Result<StsPolicy> =>
    fail(stsFailures.make('sts-policy-invalid', detail));
  const lines = readLines(body);
  if (typeof lines === 'string') return invalid(lines);
  const first = (memberName: string): PolicyLine | undefined =>
    lines.find((policyLine) => policyLine.key === memberName);
  const [version, mode, age] = [first('version'), first('mode'), first('max_age')];
  if (version?.value !== 'STSv1')
    return invalid(
      version ? `${quote(version)}: the only valid version is STSv1` : missing('version', lines),
    );
  if (mode?.value !== 'enforce' && mode?.value !== 'testing' && mode?.value !== 'none')
    return invalid(mode ? explainMode(mode) : missing('mode', lines));
  if (age === undefined || !/^\d{1,10}$/.test(age.value))
    return invalid(age ? `${quote(age)}: ${explainAge(age.value)}` : missing('max_age', lines));
  const hosts = lines.filter((policyLine) => policyLine.key === 'mx');
  if (hosts.length > MAX_MX) return invalid(`${hosts.length} mx lines`);
  const odd = hosts.find(
    ({ value }) => value.length > 255 || !hostPattern.test(value.toLowerCase()),
  );
  if (odd !== undefined) return invalid(explainMx(odd));
  if (mode.value !== 'none' && hosts.length === 0) return invalid(missing('mx', lines));
  const maxAge = Math.min(Number(age.value), MAX_AGE);
  return ok({ mode: mode.value, maxAge, mx: hosts.map(({ value }) => value.toLowerCase()) });
}

/** RFC 8461 §3.2: one to ten digits. */
function explainAge(value: string): string {
  if (/^\d+$/.test(value)) return `max_age has ${value.length} digits, at most 10 are allowed`;
  return 'max_age is a number of seconds, digits only';
}

/** Explains a missing field, which may be present under another spelling. */
function missing(memberName: string, policyLines: readonly PolicyLine[]): string {
  const near = policyLines.find((policyLine) => isNear(policyLine.key, memberName));
  if (near) return `${quote(near)}: field names are case-sensitive, write ${memberName}`;
  return `no ${memberName}`;
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
