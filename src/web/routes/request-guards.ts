import type { Context } from 'hono';
import type { Actor } from '../roles.js';
import { clientAddress } from '../clients/client-address.js';

/** The facts of a request that its octets do not contain. */
export interface RequestOrigin {
  /** Address of the peer of the connection. */
  readonly peer: string;
  /** The request arrived on the loopback port of the operator. */
  readonly isOperator: boolean;
}

/** The types of the application's requests. */
export interface AppEnv {
  Bindings: RequestOrigin;
  /** Set by the access gate for every route that needs a sign-in. */
  Variables: { readonly actor: Actor };
}

/** Names under which a browser on this machine reaches the loopback port. */
const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Returns whether a request to the operator's port carries a foreign Host field. Another
 * site can make its own name resolve to 127.0.0.1 (DNS rebinding); requests of its pages
 * arrive from loopback, and only the Host field distinguishes them.
 */
export function isRebound(hostField: string | undefined): boolean {
  return hostField === undefined || !loopbackHost.test(hostField);
}

/**
 * Returns whether a page of another site sent a form to this one. Browsers state the site
 * in `Sec-Fetch-Site`, older ones only in `Origin`. Other programs send neither field.
 */
export function isCrossSite(headers: Headers, ownUrl: string): boolean {
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site !== 'same-origin' && site !== 'none';
  const origin = headers.get('origin');
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== hostOf(headers, ownUrl);
}

/** Returns whether a method changes nothing (RFC 9110 §9.2.1). */
export function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Returns whether a browser states that a page of this site sent the form. A form that
 * opens a session needs the statement: otherwise another site could sign its visitor in
 * to an account of the attacker.
 */
export function isOwnForm(headers: Headers, ownUrl: string): boolean {
  const isStated = headers.has('sec-fetch-site') || headers.has('origin');
  return isStated && headers.get('sec-fetch-site') !== 'none' && !isCrossSite(headers, ownUrl);
}

function hostOf(headers: Headers, ownUrl: string): string {
  return headers.get('host')?.toLowerCase() ?? new URL(ownUrl).host;
}

/** Returns the address of the client, behind the proxies of the configuration. */
export function clientOf(context: Context<AppEnv>, proxies: readonly string[]): string {
  return clientAddress(context.env.peer, context.req.header('x-forwarded-for'), proxies);
}

/**
 * The policy of every page: the browser runs scripts, loads files and submits forms only
 * from and to this site.
 */
const contentPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/**
 * Headers of every response. The value of a handler that sets one of them has priority.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
