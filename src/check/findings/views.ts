import type { CheckResult, Finding } from '../../evidence/index.js';
import type { FindingId } from './catalogue.js';

/**
 * Findings that explain why a check has no answer, the most general first: a blocked port
 * also explains why a host did not answer. These findings describe the limits of this
 * check and not the domain.
 */
export const inconclusiveFindings = [
  'port-25-blocked',
  'own-network-strips',
  'resolver-no-dnssec',
  'own-validation-fails',
  'mx-lookup-failed',
  'dnssec-indeterminate',
  'sts-lookup-failed',
  'sts-policy-not-fetched',
  'mx-inconclusive',
  'tls-unsettled',
  'tlsrpt-lookup-failed',
] as const satisfies readonly FindingId[];

/**
 * Returns the most general finding that explains why the check has no answer; undefined
 * if none was raised.
 */
export function whyUnclear({ findings }: CheckResult): Finding | undefined {
  return inconclusiveFindings
    .map((findingId) => findings.find((finding) => finding.id === findingId))
    .find((finding) => finding !== undefined);
}
