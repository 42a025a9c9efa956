import type { Endpoint } from '../../net/index.js';

export interface PolicyHandlerOptions {
  /** The policy served for a domain (lower case), asked at every request. */
  bodyOf(domain: string): string | undefined;
  /** Answer to an http-01 challenge (RFC 8555 §8.3). */
  challengeFor?(host: string, token: string): string | undefined;
}

const wellKnown = '/.well-known/mta-sts.txt';
const challenge = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,512})$/;

/** The domain whose policy host this is; undefined for other hosts. */
export function policyDomainOf(host: string): string | undefined {
  return host.startsWith('mta-sts.') && host.length > 8 ? host.slice(8) : undefined;
}

/** What a policy handler answers for; everything else on the port is somebody else's. */
export function servesPolicy(host: string, path: string): boolean {
  return policyDomainOf(host) !== undefined && (path === wellKnown || challenge.test(path));
}

/**
 * Policy host of any number of domains (RFC 8461 §3.3): text/plain and status 200, or 404; never a redirect. Nothing of the request but host and path counts. [8461-3.2-12]
 */
export function policyHandler({ bodyOf, challengeFor }: PolicyHandlerOptions): (request: Request, peer: Endpoint) => Response {
  return (request) => {
    const { hostname, pathname } = new URL(request.url);
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'Method not allowed\n', { allow: 'GET, HEAD' });
    const host = hostname.toLowerCase();
    const token = challenge.exec(pathname)?.[1];
    const domain = policyDomainOf(host);
    const body =
      token !== undefined ? challengeFor?.(host, token) : pathname === wellKnown && domain !== undefined ? bodyOf(domain) : undefined;
    return body === undefined ? text(404, 'Not found\n') : text(200, body);
  };
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'max-age=60',
      ...headers,
    },
  });
}
