import type { TlsReport } from './report.js';

/**
 * Returns a text that two reports share exactly when they say the same. JSON would also
 * serve and takes twice as long, on a path that runs for every report received.
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
  for (const policy of policies) {
    key += `|${textsKey([policy.policyType, policy.policyDomain])}/${textsKey(policy.policyString)}/${textsKey(policy.mxHost)}`;
    key += `${policy.totalSuccessfulSessionCount},${policy.totalFailureSessionCount}`;
    for (const detail of policy.failureDetails) {
      key += `;${detail.failedSessionCount},${textsKey([detail.resultType, detail.sendingMtaIp, detail.receivingMxHostname, detail.receivingMxHelo])}`;
      key += textsKey([detail.receivingIp, detail.additionalInformation, detail.failureReasonCode]);
    }
  }
  return key;
}

/**
 * The same for a list of texts. Each is preceded by its length, so that two texts cannot
 * have the key of one.
 */
export function textsKey(texts: readonly (string | undefined)[]): string {
  let key = '';
  for (const text of texts) key += text === undefined ? '-' : `${text.length}:${text}`;
  return key;
}
