import type { Endpoint } from '../../net/index.js';

/** The source of policy bodies. */
export interface PolicyHandlerOptions {
  /** Returns the policy body of a domain (lower case); called for every request. */
  bodyOf(domainName: string): string | undefined;
}

const wellKnown = '/.well-known/mta-sts.txt';

/** Returns the policy domain of a policy host; undefined for any other host. */
export function policyDomainOf(hostName: string): string | undefined {
  return hostName.startsWith('mta-sts.') && hostName.length > 8 ? hostName.slice(8) : undefined;
}

/**
 * Returns whether the policy handler answers for this URL. Other handlers use the same
 * port.
 */
export function servesPolicy(hostName: string, path: string): boolean {
  return policyDomainOf(hostName) !== undefined && path === wellKnown;
}

/** A complete HTTP response. */
export interface PolicyResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Returns the responder of a policy host for any number of domains (RFC 8461 §3.3):
 * status 200 with text/plain, or 404, and never a redirect. The response depends only on
 * method, host and path of a request. There is no rate limit. [8461-3.2-12, 8461-3.3-15]
 */
export function policyResponder({
  bodyOf,
}: PolicyHandlerOptions): (method: string, hostName: string, path: string) => PolicyResponse {
  return (method, hostName, path) => {
    if (method !== 'GET' && method !== 'HEAD')
      return text(405, 'Method not allowed\n', { allow: 'GET, HEAD' });
    const domainName = policyDomainOf(hostName);
    const bodyText =
      path === wellKnown && domainName !== undefined ? bodyOf(domainName) : undefined;
    return bodyText === undefined ? text(404, 'Not found\n') : text(200, bodyText);
  };
}

/** Returns the same responder for a web standard `Request`. */
export function policyHandler(
  options: PolicyHandlerOptions,
): (request: Request, peer: Endpoint) => Response {
  const answers = policyResponder(options);
  return (request) => {
    const { hostname, pathname } = new URL(request.url);
    const { status, headers, body } = answers(request.method, hostname.toLowerCase(), pathname);
    return new Response(body, { status, headers });
  };
}

function text(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): PolicyResponse {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'max-age=60',
      ...headers,
    },
    body,
  };
}
