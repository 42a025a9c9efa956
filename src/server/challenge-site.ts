import type { WebSolver } from '../publish/index.js';
import type { Site } from './service.js';

const form = /^\/\.well-known\/acme-challenge\/([A-Za-z0-9_-]{1,512})$/;

/**
 * What a CA asks for over plain HTTP while a challenge is open, for that very name and
 * token: no other page is there. [8555-8.3-1]
 */
export function challengeSite(answers: Pick<WebSolver, 'textFor'>): Site {
  const textFor = (host: string, path: string): string | undefined => {
    const token = form.exec(path)?.[1];
    return token === undefined ? undefined : answers.textFor(host, token);
  };
  return {
    serves: (host, path) => textFor(host, path) !== undefined,
    handle(request) {
      const { hostname, pathname } = new URL(request.url);
      return new Response(textFor(hostname, pathname) ?? null, {
        headers: { 'content-type': 'application/octet-stream' },
      });
    },
  };
}
