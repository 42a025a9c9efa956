import type { Context } from 'hono';
import type { Actor } from '../roles.js';
import { clientAddress } from '../clients/client-address.js';

/** The facts about the connection of a request. */
export interface RequestOrigin {
  /** The address of the peer of the connection. */
  readonly peer: string;
  /** Whether the request arrived on the loopback port of the operator. */
  readonly isOperator: boolean;
}

/** The types of the application's requests. */
export interface AppEnv {
  Bindings: RequestOrigin;
  /** The account, which the access gate sets for every route that needs a sign-in. */
  Variables: { readonly actor: Actor };
}

/**
 * Matches the Host fields under which a browser on this machine reaches the loopback
 * port.
 */
const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * Returns whether the Host field of a request to the operator's port is not a name of
 * this machine. Another site can make its own name resolve to 127.0.0.1 (DNS rebinding).
 * Requests by the pages of such a site arrive from loopback, and only the Host field
 * distinguishes them.
 */
export function isRebound(hostField: string | undefined): boolean {
  return hostField === undefined || !loopbackHost.test(hostField);
}

/**
 * Returns whether a page of another site sent a form to this site. Browsers state the
 * origin of a form in `Sec-Fetch-Site`, older browsers only in `Origin`. Other programs
 * send neither field.
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
 * opens a session requires this statement: otherwise an attacker's page could sign its
 * visitor in to an account of the attacker.
 */
export function isOwnForm(headers: Headers, ownUrl: string): boolean {
  const isStated = headers.has('sec-fetch-site') || headers.has('origin');
  return isStated && headers.get('sec-fetch-site') !== 'none' && !isCrossSite(headers, ownUrl);
}

function hostOf(headers: Headers, ownUrl: string): string {
  return headers.get('host')?.toLowerCase() ?? new URL(ownUrl).host;
}

/** Returns the address of the client, even behind the configured proxies. */
export function clientOf(context: Context<AppEnv>, proxies: readonly string[]): string {
  return clientAddress(context.env.peer, context.req.header('x-forwarded-for'), proxies);
}

/**
 * The content security policy of every page. The browser loads scripts and files only
 * from this site, and submits forms only to this site.
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
 * The header fields of every response. If a handler sets one of these fields, its value
 * has priority.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
