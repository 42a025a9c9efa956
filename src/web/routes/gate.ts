import type { Context, Next } from 'hono';
import { getCookie } from 'hono/cookie';
import { matchedRoutes } from 'hono/route';
import type { AccessService } from '../access/access-service.js';
import { accessTable, type AccessRule } from '../access/access-table.js';
import type { RightsProvider } from '../access/provider-rights.js';
import { equalSecrets, formTokenOf } from '../access/random-secret.js';
import { includesRole, type Actor } from '../roles.js';
import { FixedWindow, withQuota } from './rate-limit.js';
import { sentenceOf, type WebFailureCode } from '../failures.js';
import { ownDomains, problemPage } from '../pages/text-pages.js';
import { problemResponse, statusOf } from './problem.js';
import { isCrossSite, isSafeMethod, type AppEnv } from './request-guards.js';
import type { SiteResources } from './site.js';

/**
 * The name of the session cookie. Because of its prefix, browsers accept the cookie only
 * over HTTPS, for this host and for all paths (RFC 6265bis §4.1.3.2).
 */
export const SESSION_COOKIE = '__Host-hermetic';

/** Maximum number of requests of one token in a minute. */
const REQUESTS_PER_MINUTE = 600;

/**
 * Returns middleware that decides by the access table whether a request reaches its
 * route.
 */
export function accessGate(
  site: SiteResources,
  access: AccessService,
  provider?: RightsProvider,
): (context: Context<AppEnv>, next: Next) => Promise<Response | undefined> {
  const perToken = new FixedWindow(REQUESTS_PER_MINUTE, 60, () => site.context.clock.monotonic());
  return async (context, next) => {
    const rule = ruleOf(context);
    if (!rule || rule.role === 'anyone') return void (await next());
    const secret = getCookie(context, SESSION_COOKIE);
    if (provider && secret !== undefined) await access.providerRights.recheck(secret, provider);
    const actor = actorOf(context, access);
    const code = actor ? await faultOf(context, rule, actor) : missing(access);
    if (code === 'web-sign-in-needed' && context.req.method === 'GET' && !isApi(context))
      return context.redirect(signInPath(context, access), 303);
    if (actor) context.set('actor', actor);
    if (code !== undefined) return refuse(context, site, code);
    const token = actor?.token;
    if (token === undefined) return void (await next());
    const quota = perToken.count(token);
    if (quota.isExceeded) return withQuota(problemResponse('web-token-rate', quota.seconds), quota);
    await next();
    withQuota(context.res, quota);
  };
}

/**
 * Returns middleware that refuses the domains that an account may not see, with the same
 * answer as for unknown domains. It runs only on paths with a domain, because the router
 * knows the parameter only there.
 */
export function domainGate(
  site: SiteResources,
): (context: Context<AppEnv>, next: Next) => Promise<Response | undefined> {
  return async (context, next) => {
    const actor = context.get('actor') as Actor | undefined;
    const domain = context.req.param('domain') ?? '';
    // Control characters are refused, because the database reads a text only up to its
    // first NUL.
    const isName = !/\p{Cc}/u.test(domain);
    if (!isName || (actor && !actor.reach.covers(domain)))
      return refuse(context, site, 'web-page-unknown');
    await next();
  };
}

/**
 * Returns the access rule of the route that will answer; undefined if no route matches.
 */
function ruleOf(context: Context<AppEnv>): AccessRule | undefined {
  const route = matchedRoutes(context).findLast(({ method }) => method !== 'ALL');
  return route && accessTable[`${route.method} ${route.path}`];
}

/** Returns the account of a request; undefined without valid credentials. */
export function actorOf(context: Context<AppEnv>, access: AccessService): Actor | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '') ?? [];
  if (bearer !== undefined && isApi(context))
    return access.isOpen || context.env.isOperator ? access.actorOfToken(bearer) : undefined;
  if (context.env.isOperator) return access.localActor;
  // The API accepts no cookie, because a browser may add cookies to requests by pages of
  // other sites.
  if (!access.isOpen || isApi(context)) return undefined;
  const { peer } = context.env;
  const proxied = access.actorOfProxy({ peer, headers: context.req.raw.headers });
  if (proxied) return proxied;
  const secret = getCookie(context, SESSION_COOKIE);
  return secret === undefined ? undefined : access.actorOfSession(secret);
}

function missing({ isOpen }: AccessService): WebFailureCode {
  return isOpen ? 'web-sign-in-needed' : 'web-operator-only';
}

async function faultOf(
  context: Context<AppEnv>,
  rule: AccessRule,
  actor: Actor,
): Promise<WebFailureCode | undefined> {
  if (rule.role !== 'anyone' && !includesRole(actor.role, rule.role)) return 'web-role-missing';
  if (actor.scopes && (rule.scope === undefined || !actor.scopes.includes(rule.scope)))
    return 'web-scope-missing';
  if (rule.reach === 'whole' && !actor.reach.isWhole) return 'web-customers-only';
  if (isSafeMethod(context.req.method)) return undefined;
  if (isCrossSite(context.req.raw.headers, context.req.url)) return 'web-foreign-form';
  return isApi(context) || (await hasFormToken(context, actor)) ? undefined : 'web-form-stale';
}

/** Returns whether a form contains the token of the session. */
async function hasFormToken(context: Context<AppEnv>, { formKey }: Actor): Promise<boolean> {
  const form = await context.req.parseBody().catch(() => undefined);
  const token = form?.['token'];
  return (
    formKey !== undefined && typeof token === 'string' && equalSecrets(token, formTokenOf(formKey))
  );
}

function isApi({ req }: Context<AppEnv>): boolean {
  return req.path.startsWith('/api/');
}

/**
 * Returns the path of the sign-in page, which later redirects to the requested page. If a
 * provider must confirm the session, returns the path that redirects to the provider at
 * once.
 */
function signInPath(context: Context<AppEnv>, access: AccessService): string {
  const { pathname, search } = new URL(context.req.url);
  const next =
    pathname === '/o' && search === '' ? '' : `?next=${encodeURIComponent(pathname + search)}`;
  const secret = getCookie(context, SESSION_COOKIE) ?? '';
  return `${access.isUnconfirmed(secret) ? '/sign-in/oidc' : '/sign-in'}${next}`;
}

/** Returns a refusal: a problem document for the API, or a page. */
export function refuse(
  context: Context<AppEnv>,
  site: SiteResources,
  code: WebFailureCode,
  title = 'Not permitted',
): Response | Promise<Response> {
  if (isApi(context)) return problemResponse(code);
  if (code === 'web-page-unknown') return context.notFound();
  const hasAccount = (context.get('actor') as Actor | undefined) !== undefined;
  const back = hasAccount ? ownDomains : undefined;
  const main = problemPage(title, sentenceOf(code), back);
  return site.page(context, { title, main, section: back?.path }, statusOf(code));
}
