import type { TlsReport } from './report.js';

/**
 * A text that two reports share exactly when they say the same. (JSON would do, and takes
 * twice as long, which a receiver feels.)
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
  for (const p of policies) {
    key += `|${textsKey([p.policyType, p.policyDomain])}/${textsKey(p.policyString)}/${textsKey(p.mxHost)}`;
    key += `${p.totalSuccessfulSessionCount},${p.totalFailureSessionCount}`;
    for (const d of p.failureDetails) {
      key += `;${d.failedSessionCount},${textsKey([d.resultType, d.sendingMtaIp, d.receivingMxHostname, d.receivingMxHelo])}`;
      key += textsKey([d.receivingIp, d.additionalInformation, d.failureReasonCode]);
    }
  }
  return key;
}

/**
 * The same for a list of texts. Each is led by its length, so that none can pass for two.
 */
export function textsKey(texts: readonly (string | undefined)[]): string {
  let key = '';
  for (const text of texts) key += text === undefined ? '-' : `${text.length}:${text}`;
  return key;
}
