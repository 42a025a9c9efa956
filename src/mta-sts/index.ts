/**
 * MTA-STS: the record, the policy and how both are had. RFC 8461.
 *
 * @example
 * matchMx('*.example.com', 'mx1.example.com'); // true
 * matchMx('*.example.com', 'a.b.example.com'); // false: the wildcard is one label
 */
export { parseStsRecord, type StsRecord } from './parse-record.js';
export { parsePolicy, formatPolicy, type StsPolicy, type StsMode } from './parse-policy.js';
export { matchMx } from './match-mx.js';
export { fetchPolicy, type FetchPolicyOptions } from './fetch-policy.js';
export { stsFailures } from './failures.js';
