/**
 * HTTPS requests through the door: given addresses, a judged certificate, bounded time
 * and size, no redirects (RFC 9110, RFC 9112).
 *
 * @example const network = nodeNetwork(); const got = await request({ network, addresses:
 * [], host: 'mta-sts.example.com', path: '/', anchors: trustStore([]), at: Date.now() });
 * if (!got.ok) console.log(got.failure.code); // http-unreachable
 */
export { request, type HttpRequest, type HttpResponse } from './request.js';
export { httpFailures } from './failures.js';
