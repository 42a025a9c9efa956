import { MAX_AGE, parsePolicy } from './parse-policy.js';
import { isAddress } from './policy-faults.js';
import { isNear, quote, readLines, type PolicyLine } from './policy-lines.js';

/** Faults of a policy that senders tolerate, each with its line. */
export interface PolicyLint {
  /**
   * Violations of the standard and likely mistakes: some senders may reject the policy.
   */
  readonly faults: readonly string[];
  /** Valid, but without effect. */
  readonly notes: readonly string[];
}

const known: readonly string[] = ['version', 'mode', 'max_age', 'mx'];

/**
 * Checks a policy as its publisher should. `parsePolicy` is as tolerant as a sender must
 * be (RFC 8461 §3.2 [8461-3.2-15]); this function reports what it tolerates. Returns
 * empty lists for an invalid policy.
 */
export function lintPolicy(body: string): PolicyLint {
  const lines = readLines(body);
  if (typeof lines === 'string' || !parsePolicy(body).ok) return { faults: [], notes: [] };
  return {
    faults: lines.flatMap((line) => faultOf(line, lines) ?? []),
    notes: lines.flatMap((line) => noteOn(line, lines) ?? []),
  };
}

function faultOf(line: PolicyLine, lines: readonly PolicyLine[]): string | undefined {
  const { key, value } = line;
  const meant = known.find((field) => isNear(key, field));
  if (meant !== undefined)
    return `${quote(line)}: field names are case-sensitive, senders ignore it; write ${meant}`;
  if (key !== 'mx' && known.includes(key) && firstOf(key, lines) !== line)
    return `${quote(line)}: ${key} occurs twice, senders use the first`;
  if (key === 'max_age' && Number(value) > MAX_AGE)
    return `${quote(line)}: max_age is at most ${MAX_AGE} seconds, a year`;
  if (key === 'max_age' && Number(value) === 0)
    return `${quote(line)}: senders keep nothing, so the policy never protects more than the first mail`;
  if (key === 'mx' && isAddress(value))
    return `${quote(line)}: mx is a host name, an address matches no MX host`;
  return undefined;
}

function noteOn(line: PolicyLine, lines: readonly PolicyLine[]): string | undefined {
  const { key, value } = line;
  if (!known.includes(key) && !known.some((field) => isNear(key, field)))
    return `${quote(line)}: no such field is defined, senders ignore it`;
  if (key !== 'mx') return undefined;
  const same = lines.find(
    (line) => line.key === 'mx' && line.value.toLowerCase() === value.toLowerCase(),
  );
  if (same !== line) return `${quote(line)}: the host is listed twice`;
  if (/^\*\.[^.]+$/.test(value))
    return `${quote(line)}: it admits every domain below "${value.slice(2)}"`;
  return undefined;
}

function firstOf(key: string, lines: readonly PolicyLine[]): PolicyLine | undefined {
  return lines.find((line) => line.key === key);
}
