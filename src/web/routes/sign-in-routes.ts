import type { Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { AccessService } from '../access/access-service.js';
import { signInPage, type SignInView } from '../pages/sign-in-page.js';
import { SESSION_COOKIE } from './gate.js';
import { statusOf } from './problem.js';
import { clientOf, isOwnForm, type AppEnv } from './request-guards.js';
import type { SiteResources } from './site.js';

type Handled = Context<AppEnv>;

/**
 * The attributes of cookies. The prefix of the cookie names requires most of these
 * attributes.
 */
export const sessionCookie = {
  path: '/',
  secure: true,
  httpOnly: true,
  // With `Strict`, browsers would not send the cookie if the user follows a link in an
  // alert mail.
  sameSite: 'Lax',
} as const;

/** Adds the routes for the sign-in with a password, and for the sign-out. */
export function addSignInRoutes(
  app: Hono<AppEnv>,
  site: SiteResources,
  access: AccessService,
): void {
  app.get('/sign-in', (context) => {
    if (!access.isOpen) return context.notFound();
    return showSignIn(context, site, { next: nextPath(context.req.query('next')) });
  });
  app.post('/sign-in', async (context) => {
    if (!access.isOpen) return context.notFound();
    const form = await context.req.parseBody().catch(() => ({}));
    const { name, password, next } = texts(form, ['name', 'password', 'next']);
    const view = { name, next: nextPath(next) };
    if (!isOwnForm(context.req.raw.headers, context.req.url))
      return showSignIn(context, site, { ...view, problem: 'web-foreign-form' });
    const signedIn = await access.signIn({
      name,
      password,
      client: clientOf(context, site.settings.proxies),
      agent: context.req.header('user-agent') ?? '',
      presented: getCookie(context, SESSION_COOKIE),
    });
    if (!signedIn.ok) {
      const { code: problem, retrySeconds } = signedIn;
      return showSignIn(context, site, { ...view, problem, retrySeconds });
    }
    setCookie(context, SESSION_COOKIE, signedIn.secret, sessionCookie);
    return context.redirect(view.next, 303);
  });
  app.post('/o/sign-out', async (context) => {
    const actor = context.get('actor');
    const client = clientOf(context, site.settings.proxies);
    if (actor.session !== undefined)
      await access.sessions.end(actor.session, undefined, {
        ...access.entryBy(actor, client),
        action: 'sign-out',
      });
    deleteCookie(context, SESSION_COOKIE, sessionCookie);
    return context.redirect('/', 303);
  });
}

/** Returns the sign-in page, with the problem of a refused sign-in. */
export function showSignIn(
  context: Handled,
  site: SiteResources,
  view: Omit<SignInView, 'hasProvider'>,
): Response | Promise<Response> {
  const { problem, retrySeconds } = view;
  const hasProvider = site.settings.signIn?.oidc !== undefined;
  if (retrySeconds !== undefined) context.header('retry-after', String(retrySeconds));
  const status = problem === undefined ? 200 : statusOf(problem);
  return site.page(
    context,
    { title: 'Sign in', main: signInPage({ ...view, hasProvider }), section: '/o' },
    status,
  );
}

/**
 * Returns the path of the page to show after the sign-in: a path of the operator pages.
 * Any other text is replaced, because it could redirect to another site.
 */
export function nextPath(text: string | undefined): string {
  return text !== undefined &&
    /^\/o(\/[\w.~%/?&=:-]*|\?[\w.~%&=-]*)?$/.test(text) &&
    !text.includes('//')
    ? text
    : '/o';
}

/** Returns the text fields of a form. A field that is missing or a file is empty. */
export function texts<Field extends string>(
  form: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
): Record<Field, string> {
  const entries = fields.map((field) => {
    const value = form[field];
    return [field, typeof value === 'string' ? value.slice(0, 2000) : ''];
  });
  return Object.fromEntries(entries) as Record<Field, string>;
}
