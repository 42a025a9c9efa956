import type { DomainReport } from '../../tls-rpt-receive/index.js';
import { senderCase } from '../cases/all-cases.js';
import { caseOfName } from '../cases/case-names.js';
import { cutText, type Observation } from '../observation.js';

/**
 * Returns the observations of reports about the cases of a slot; other domains are left
 * out. The receiver of reports has verified the authenticity of the reports.
 */
export function reportObservations(
  reports: readonly DomainReport[],
  { zone, slot, now }: { readonly zone: string; readonly slot: string; readonly now: number },
): readonly Observation[] {
  return reports.flatMap(({ domain, organization, resultTypes, senders, ...report }) => {
    const named = caseOfName(domain, zone);
    const found = named?.slot === slot ? senderCase(named.caseId) : undefined;
    if (!found) return [];
    return [
      {
        kind: 'report',
        at: new Date(now).toISOString(),
        case: found.id,
        slot,
        organization: cutText(organization),
        day: report.day,
        authenticated: report.authenticated,
        successes: report.successes,
        failures: report.failures,
        resultTypes: resultTypes.slice(0, 32).map(cutText),
        senders: senders.slice(0, 32).map(cutText),
      },
    ];
  });
}
