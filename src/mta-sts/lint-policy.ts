import { MAX_AGE, parsePolicy } from './parse-policy.js';
import { isAddress } from './policy-faults.js';
import { isNear, quote, readLines, type PolicyLine } from './policy-lines.js';

/** Faults of a policy that senders tolerate, each with its line. */
export interface PolicyLint {
  /**
   * Violations of the standard and likely mistakes: some senders may reject the policy.
   */
  readonly faults: readonly string[];
  /** Parts of the policy that are valid, but have no effect. */
  readonly notes: readonly string[];
}

// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/;

const known: readonly string[] = ['version', 'mode', 'max_age', 'mx'];

/**
 * Returns the faults of a policy, for its publisher. `parsePolicy` is as tolerant as a
 * sender must be (RFC 8461 §3.2 [8461-3.2-15]); this function reports every tolerated
 * deviation from the standard. Returns empty lists for an invalid policy.
 */
export function lintPolicy(bodyText: string): PolicyLint {
  const lines = readLines(bodyText);
  if (typeof lines === 'string' || !parsePolicy(bodyText).ok) return { faults: [], notes: [] };
  return {
    faults: lines.flatMap((policyLine) => faultOf(policyLine, lines) ?? []),
    notes: lines.flatMap((policyLine) => noteOn(policyLine, lines) ?? []),
  };
}

function faultOf(policyLine: PolicyLine, policyLines: readonly PolicyLine[]): string | undefined {
  const { key, value, text } = policyLine;
  // RFC 8461 §3.2: the delimiter is a colon, and blanks may only follow it.
  if (known.includes(key) && !text.startsWith(`${key}:`))
    return `${quote(policyLine)}: there must be no space before the colon`;
  const meant = known.find((fieldName) => isNear(key, fieldName));
  if (meant !== undefined)
    return `${quote(policyLine)}: field names are case-sensitive, senders ignore it; write ${meant}`;
  if (key !== 'mx' && known.includes(key) && firstOf(key, policyLines) !== policyLine)
    return `${quote(policyLine)}: ${key} occurs twice, senders use the first`;
  if (key === 'max_age' && Number(value) > MAX_AGE)
    return `${quote(policyLine)}: max_age is at most ${MAX_AGE} seconds, a year`;
  // RFC 8461 §3.2: sts-policy-vchar, and spaces between them.
  if (CONTROL.test(value)) return `${quote(policyLine)}: it holds a control character`;
  // A withdrawn policy protects no mail, so a lifetime of 0 is harmless (RFC 8461 §8.3).
  const isWithdrawn = firstOf('mode', policyLines)?.value === 'none';
  if (key === 'max_age' && Number(value) === 0 && !isWithdrawn)
    return `${quote(policyLine)}: senders do not cache the policy, so it protects only the mail for which it was fetched`;
  if (key === 'mx' && isAddress(value))
    return `${quote(policyLine)}: mx is a host name, an address matches no MX host`;
  return undefined;
}

function noteOn(policyLine: PolicyLine, policyLines: readonly PolicyLine[]): string | undefined {
  const { key, value } = policyLine;
  if (!known.includes(key) && !known.some((fieldName) => isNear(key, fieldName)))
    return `${quote(policyLine)}: the standard defines no such field, and senders ignore it`;
  if (key !== 'mx') return undefined;
  const same = policyLines.find(
    (line) => line.key === 'mx' && line.value.toLowerCase() === value.toLowerCase(),
  );
  if (same !== policyLine) return `${quote(policyLine)}: the host is listed twice`;
  if (/^\*\.[^.]+$/.test(value))
    return `${quote(policyLine)}: it admits every domain below "${value.slice(2)}"`;
  return undefined;
}

function firstOf(key: string, policyLines: readonly PolicyLine[]): PolicyLine | undefined {
  return policyLines.find((policyLine) => policyLine.key === key);
}
