import type { CheckResult, Finding } from '../../evidence/index.js';
import { inconclusiveFindings } from '../findings/views.js';

/** The finding that says why something could not be determined. */
export function whyUnclear({ findings }: CheckResult): Finding | undefined {
  return inconclusiveFindings
    .map((findingId) => findings.find((finding) => finding.id === findingId))
    .find((finding) => finding !== undefined);
}
