/**
 * HTTPS requests (RFC 9110, RFC 9112) over the {@link Network} port, for MTA-STS
 * policies, ACME and reports.
 *
 * `request` connects to given addresses, verifies the certificate for the host before it
 * sends anything, and limits time and size of the response. It follows no redirect,
 * caches no response, closes each connection, and decompresses nothing: RFC 8461 §3.3
 * forbids redirects and caches for policies, and a peer cannot abuse a missing feature.
 * The response states whether its end was marked inside TLS: otherwise an on-path
 * attacker may have truncated it.
 *
 * @example
 * ```ts
 * const network = nodeNetwork();
 * const got = await request({
 *   network,
 *   addresses: [],
 *   host: 'mta-sts.example.com',
 *   path: '/',
 *   anchors: trustStore([]),
 *   validationTime: Date.now(),
 * });
 * if (!got.ok) console.log(got.failure.code); // http-unreachable
 * ```
 */
export { request, type HttpRequest, type HttpResponse } from './request.js';
export { httpFailures } from './failures.js';
export { certificateFailure } from './secure-dial.js';
