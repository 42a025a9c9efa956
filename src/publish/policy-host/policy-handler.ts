import type { Endpoint } from '../../net/index.js';

export interface PolicyHandlerOptions {
  /** The policy served for a domain (lower case), asked at every request. */
  bodyOf(domain: string): string | undefined;
}

const wellKnown = '/.well-known/mta-sts.txt';

/** The domain whose policy host this is; undefined for other hosts. */
export function policyDomainOf(host: string): string | undefined {
  return host.startsWith('mta-sts.') && host.length > 8 ? host.slice(8) : undefined;
}

/** What a policy handler answers for; everything else on the port is somebody else's. */
export function servesPolicy(host: string, path: string): boolean {
  return policyDomainOf(host) !== undefined && path === wellKnown;
}

/** A whole answer. */
export interface PolicyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Policy host of any number of domains (RFC 8461 §3.3): text/plain and status 200, or
 * 404; never a redirect. Nothing of the request but method, host and path counts, nor how
 * often somebody asks. [8461-3.2-12, 8461-3.3-15]
 */
export function policyAnswers({
  bodyOf,
}: PolicyHandlerOptions): (method: string, host: string, path: string) => PolicyAnswer {
  return (method, host, path) => {
    if (method !== 'GET' && method !== 'HEAD')
      return text(405, 'Method not allowed\n', { allow: 'GET, HEAD' });
    const domain = policyDomainOf(host);
    const body = path === wellKnown && domain !== undefined ? bodyOf(domain) : undefined;
    return body === undefined ? text(404, 'Not found\n') : text(200, body);
  };
}

/** The same for a web standard request. */
export function policyHandler(
  options: PolicyHandlerOptions,
): (request: Request, peer: Endpoint) => Response {
  const answers = policyAnswers(options);
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
): PolicyAnswer {
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
