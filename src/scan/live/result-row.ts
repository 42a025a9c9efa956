import type { ExportedDomain } from '../engine/index.js';
import type { ScanResultRow } from '../export/columns.js';
import { operatorOf } from '../family/family-of.js';
import type { DomainObservation } from '../facts/observations.js';
import type { DomainGrade } from '../grade/grade-domain.js';

/**
 * Returns the row of one exported domain. The mail hosts are the hosts that the scan
 * selected.
 */
export function resultRow({ domain, rank, grade, facts }: ExportedDomain): ScanResultRow {
  const { mx } = facts as unknown as Partial<DomainObservation>;
  const mailHosts = mx?.map(({ name }) => name);
  const operators = mailHosts && [...new Set(mailHosts.map((host) => operatorOf(host, domain)))];
  return { ...(grade as DomainGrade), domain, rank, mailHosts, operators };
}
