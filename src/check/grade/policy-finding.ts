import type { FindingId } from '../findings/catalogue.js';

/**
 * The finding of each failure code of the policy lookup; the first pattern that matches
 * applies. Causes come before consequences: a redirect is also an unexpected status, and
 * a wrong media type is also an invalid policy.
 */
const findingByCode: readonly (readonly [RegExp, FindingId])[] = [
  [/^sts-record-multiple$/, 'sts-record-multiple'],
  [/^sts-record/, 'sts-record-invalid'],
  [/redirect/, 'sts-policy-redirect'],
  [/^x509-|certificate|webpki|http-tls|untrusted/, 'sts-policy-webpki-invalid'],
  [/type/, 'sts-policy-wrong-type'],
  [
    /^sts-policy-(?!fetch|unreachable|timeout|status|not-found|host|http|too-large)/,
    'sts-policy-invalid',
  ],
];

/**
 * Returns the finding of a failure code. A code without a pattern is a failed fetch: the
 * policy was not obtained.
 */
export function policyFindingOf(code: string): FindingId {
  return findingByCode.find(([pattern]) => pattern.test(code))?.[1] ?? 'sts-policy-unreachable';
}
