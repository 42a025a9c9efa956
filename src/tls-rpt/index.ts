/**
 * TLS-RPT: where a domain wants to hear of TLS failures. RFC 8460.
 *
 * @example
 * parseTlsRptRecord(['v=TLSRPTv1; rua=mailto:tlsrpt@example.com']).rua; // ['mailto:tlsrpt@example.com']
 */
export { parseTlsRptRecord, type TlsRptRecord } from './parse-record.js';
export { tlsRptFailures } from './failures.js';
