import { createHash } from 'node:crypto';

/**
 * The id of a policy: 32 hexadecimal digits of its digest, so that it changes exactly
 * when the content does (RFC 8461 §3.1). [8461-3.1-15]
 */
export function policyId(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 32);
}

/** The record that announces it. [8461-3.1-13] */
export function stsRecord(id: string): string {
  return `v=STSv1; id=${id};`;
}
