import { caseNames } from '../cases/case-names.js';
import type { SenderCase } from '../cases/sender-case.js';
import { TEST_MAX_AGE } from '../cases/view-of-case.js';

/** The answer of the policy host of a case to `GET` of a path. */
export interface PolicyAnswer {
  readonly status: 200 | 301 | 404;
  readonly contentType: 'text/plain' | 'text/html';
  readonly location?: string;
  readonly body: string;
}

const PATH = '/.well-known/mta-sts.txt';
/** The valid copy to which a redirect leads. */
const COPY = '/.well-known/mta-sts-copy.txt';

/**
 * Returns the answer to a request. The policy of a case never changes: senders cache it,
 * and a test that reuses the name must return the same policy (RFC 8461 §3.2).
 */
export function policyAnswer(
  { id, policy }: SenderCase,
  { slot, zone, path }: { readonly slot: string; readonly zone: string; readonly path: string },
): PolicyAnswer {
  const known = path === PATH || path === COPY;
  if (!policy || !known) return { status: 404, contentType: 'text/plain', body: 'Not found\n' };
  const { mxHost } = caseNames(id, slot, zone);
  const { mode, mx, reply = 'good' } = policy;
  const lines = [
    'version: STSv1',
    `mode: ${mode}`,
    `mx: ${mx === 'other-host' ? `other.${mxHost}` : mxHost}`,
    `max_age: ${TEST_MAX_AGE}`,
  ];
  const body = lines.map((line) => `${line}\r\n`).join('');
  if (path === PATH && reply === 'redirect')
    return { status: 301, contentType: 'text/plain', location: COPY, body: '' };
  return {
    status: reply === 'not-found' ? 404 : 200,
    contentType: reply === 'wrong-type' ? 'text/html' : 'text/plain',
    body,
  };
}
