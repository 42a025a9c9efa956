import type { WebSolver } from '../publish/index.js';
import type { SharedPortSite } from './service.js';

const form = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,512})$/;

/**
 * Serves http-01 challenges over plain HTTP: the key authorisation of a pending
 * challenge, under its name and token only. Requests for other paths get 404.
 * [8555-8.3-1]
 */
export function challengeSite(answers: Pick<WebSolver, 'textFor'>): SharedPortSite {
  const textFor = (hostName: string, path: string): string | undefined => {
    const token = form.exec(path)?.[1];
    return token === undefined ? undefined : answers.textFor(hostName, token);
  };
  return {
    serves: (hostName, path) => textFor(hostName, path) !== undefined,
    handle(request) {
      const { hostname, pathname } = new URL(request.url);
      return new Response(textFor(hostname, pathname) ?? null, {
        headers: { 'content-type': 'application/octet-stream' },
      });
    },
  };
}
