import type { Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { AccessService } from '../access/access-service.js';
import { OIDC_CALLBACK, OIDC_LOGOUT, type OidcSignIn } from '../access/oidc-sign-in.js';
import { RateWindow } from '../clients/rate-window.js';
import { limitKey } from '../clients/client-address.js';
import { SESSION_COOKIE } from './gate.js';
import { clientOf, type AppEnv } from './request-guards.js';
import { nextPath, sessionCookie, showSignIn } from './sign-in-routes.js';
import type { SiteResources } from './site.js';

const FLOW_COOKIE = '__Host-hermetic-oidc';
const FLOW_SECONDS = 600;
/**
 * Maximum number of sign-in steps of one network in 15 minutes: beginning and finishing
 * count separately.
 */
const MAX_STEPS = 60;
const WINDOW = 15 * 60_000;

/** Adds the routes for the sign-in through an OpenID provider. */
export function addOidcRoutes(
  app: Hono<AppEnv>,
  site: SiteResources,
  { access, oidc }: { readonly access: AccessService; readonly oidc: OidcSignIn | undefined },
): void {
  const { clock, log } = site.context;
  const steps = new RateWindow(MAX_STEPS, WINDOW, () => clock.monotonic());
  const isLimited = (context: Context<AppEnv>): boolean => {
    const network = limitKey(clientOf(context, site.settings.proxies));
    if (steps.waitFor(network) > 0) return true;
    steps.count(network);
    return false;
  };
  const refuse = (context: Context<AppEnv>, problem: string): Response | Promise<Response> =>
    showSignIn(context, site, { next: '/o', problem });
  app.get('/sign-in/oidc', async (context) => {
    if (!oidc) return context.notFound();
    if (isLimited(context)) return refuse(context, 'web-sign-in-limit');
    try {
      const { location, cookie } = await oidc.begin(nextPath(context.req.query('next')));
      setCookie(context, FLOW_COOKIE, cookie, { ...sessionCookie, maxAge: FLOW_SECONDS });
      return context.redirect(location, 303);
    } catch (error) {
      log.error('web-oidc-failed', { error: (error as Error).message });
      return refuse(context, 'web-oidc-failed');
    }
  });
  const failures = new RateWindow(MAX_STEPS, WINDOW, () => clock.monotonic());
  // The answer is 200 even if the sessions have already ended (OpenID Connect
  // Back-Channel Logout 1.0 §2.8).
  app.post(OIDC_LOGOUT, async (context) => {
    if (!oidc) return context.notFound();
    const network = limitKey(clientOf(context, site.settings.proxies));
    const wait = failures.waitFor(network);
    if (wait > 0) return context.body(null, 429, { 'retry-after': String(Math.ceil(wait / 1000)) });
    const form = await context.req.parseBody().catch(() => ({}));
    const { logout_token: token } = form as Readonly<Record<string, unknown>>;
    try {
      const tokens = await oidc.logoutTokens();
      const ended = typeof token === 'string' ? await tokens.verify(token) : undefined;
      if (!ended) {
        failures.count(network);
        return context.json({ error: 'invalid_request' }, 400);
      }
      if (!tokens.isUsed(ended)) await access.sessions.endOfProvider(ended, clock.now());
      tokens.markUsed(ended);
      return context.body(null, 200);
    } catch (error) {
      log.error('web-oidc-logout-failed', { error: (error as Error).message });
      return context.json({ error: 'temporarily_unavailable' }, 503, { 'retry-after': '30' });
    }
  });
  app.get(OIDC_CALLBACK, async (context) => {
    if (!oidc) return context.notFound();
    if (isLimited(context)) return refuse(context, 'web-sign-in-limit');
    const cookie = getCookie(context, FLOW_COOKIE) ?? '';
    // The cookie is deleted, so that a callback cannot be repeated.
    deleteCookie(context, FLOW_COOKIE, sessionCookie);
    try {
      const account = await oidc.finish(new URL(context.req.url).search, cookie);
      if (!account) return refuse(context, 'web-oidc-failed');
      const secret = await access.signInAs(account, {
        client: clientOf(context, site.settings.proxies),
        agent: context.req.header('user-agent') ?? '',
        presented: getCookie(context, SESSION_COOKIE),
      });
      if (secret === undefined) return refuse(context, 'web-grant-missing');
      oidc.remember(secret, account);
      setCookie(context, SESSION_COOKIE, secret, sessionCookie);
      return context.redirect(account.next, 303);
    } catch (error) {
      log.error('web-oidc-failed', { error: (error as Error).message });
      return refuse(context, 'web-oidc-failed');
    }
  });
}
