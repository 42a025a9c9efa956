import type { TlsReport } from './report.js';

/**
 * Returns a text that is equal for two reports only if their content is equal.
 * Serialising as JSON would take twice as long, and this function runs for every received
 * report.
 */
export function reportKey({
  organizationName,
  startDatetime,
  endDatetime,
  contactInfo,
  reportId,
  policies,
}: TlsReport): string {
  let key = textsKey([organizationName, startDatetime, endDatetime, contactInfo, reportId]);
  for (const reportedPolicy of policies) {
    key += `|${textsKey([reportedPolicy.policyType, reportedPolicy.policyDomain])}/${textsKey(reportedPolicy.policyString)}/${textsKey(reportedPolicy.mxHost)}`;
    key += `${reportedPolicy.totalSuccessfulSessionCount},${reportedPolicy.totalFailureSessionCount}`;
    for (const detail of reportedPolicy.failureDetails) {
      key += `;${detail.failedSessionCount},${textsKey([detail.resultType, detail.sendingMtaIp, detail.receivingMxHostname, detail.receivingMxHelo])}`;
      key += textsKey([detail.receivingIp, detail.additionalInformation, detail.failureReasonCode]);
    }
  }
  return key;
}

/**
 * Returns the key of a list of texts. The length precedes each text, so that two texts
 * cannot have the same key as one longer text.
 */
export function textsKey(texts: readonly (string | undefined)[]): string {
  let key = '';
  for (const listText of texts)
    key += listText === undefined ? '-' : `${listText.length}:${listText}`;
  return key;
}
