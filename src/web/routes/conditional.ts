import { createHash } from 'node:crypto';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, Next } from 'hono';
import { isSafeMethod, type AppEnv } from './request-guards.js';

/** The Cache-Control field of answers that a client may store but must revalidate. */
export const REVALIDATED = 'private, no-cache';

/**
 * Adds an entity tag to answers that clients must revalidate, and answers with 304 if the
 * client has the current version (RFC 9110 §13.1.2).
 */
export async function answerConditionally(context: Context<AppEnv>, next: Next): Promise<void> {
  await next();
  const { res, req } = context;
  const mayHave = res.status === 200 && res.headers.get('cache-control') === REVALIDATED;
  if (!mayHave || !isSafeMethod(req.method)) return;
  const body = await res.arrayBuffer();
  const hash = createHash('sha256').update(Buffer.from(body)).digest('base64url').slice(0, 27);
  const tag = `"${hash}"`;
  const headers = new Headers(res.headers);
  headers.set('etag', tag);
  const isKnown = isListed(req.header('if-none-match') ?? '', tag);
  if (isKnown) for (const name of ['content-type', 'content-disposition']) headers.delete(name);
  context.res = undefined;
  context.res = new Response(isKnown ? null : body, { status: isKnown ? 304 : 200, headers });
}

/**
 * Returns whether a list of entity tags contains a tag, by weak comparison (RFC 9110
 * §8.8.3.2).
 */
function isListed(list: string, tag: string): boolean {
  const tags = list.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

/**
 * Returns the methods that a path accepts, for the field Allow; empty if no route has the
 * path.
 */
export function methodsOf(app: OpenAPIHono<AppEnv>, path: string): readonly string[] {
  const accepted = METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  );
  if (accepted.length === 0) return [];
  const head = accepted.includes('GET') ? ['HEAD'] : [];
  return [...accepted, ...head, 'OPTIONS'];
}
