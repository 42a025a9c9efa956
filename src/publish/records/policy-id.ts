import { createHash } from 'node:crypto';

/**
 * Returns the id of a policy: 32 hexadecimal digits of its SHA-256. The id changes
 * exactly when the content changes, as RFC 8461 §3.1 requires. [8461-3.1-15]
 */
export function policyId(bodyText: string): string {
  return createHash('sha256').update(bodyText).digest('hex').slice(0, 32);
}

/** Returns the `_mta-sts` record that announces a policy. [8461-3.1-13] */
export function stsRecord(id: string): string {
  return `v=STSv1; id=${id};`;
}
