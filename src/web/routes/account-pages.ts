import type { Context, Hono } from 'hono';
import { deleteCookie } from 'hono/cookie';
import type { AccessService } from '../access/access-service.js';
import { parseAccountName, type ChangeBy } from '../access/account-table.js';
import { isPassword } from '../access/password-hash.js';
import { formTokenOf } from '../access/random-secret.js';
import { roles, type Actor } from '../roles.js';
import type { WebFailureCode } from '../failures.js';
import { auditPage, sessionsPage, usersPage } from '../pages/operator/account-pages.js';
import { SESSION_COOKIE } from './gate.js';
import { statusOf } from './problem.js';
import { clientOf, type AppEnv } from './request-guards.js';
import { sessionCookie, texts } from './sign-in-routes.js';
import type { SiteResources } from './site.js';

type Handled = Context<AppEnv>;

/** Maximum number of entries on one page of the audit log. */
const MAX_AUDIT = 100;

/** Adds the pages of sessions, accounts and the audit log. */
export function addAccountPages(
  app: Hono<AppEnv>,
  site: SiteResources,
  access: AccessService,
): void {
  const { clock } = site.context;
  const show = (
    context: Handled,
    title: string,
    main: ReturnType<typeof sessionsPage>,
    status = 200,
  ): Response | Promise<Response> => site.page(context, { title, main, section: '/o' }, status);
  const by = (context: Handled): ChangeBy =>
    access.entryBy(context.get('actor'), clientOf(context, site.settings.proxies));
  const showUsers = (context: Handled, problem?: WebFailureCode): Response | Promise<Response> => {
    const main = usersPage({
      accounts: access.accounts.list(),
      customers: Object.keys(site.settings.customers),
      token: tokenOf(context.get('actor')),
      problem,
    });
    return show(context, 'Users', main, problem === undefined ? 200 : statusOf(problem));
  };
  app.get('/o/sessions', (context) => {
    const actor = context.get('actor');
    const sessions = access.sessions.list(clock.now(), seesAll(actor) ? undefined : actor);
    const main = sessionsPage(sessions, { current: actor.session, token: tokenOf(actor) });
    return show(context, 'Sessions', main);
  });
  app.post('/o/sessions/:id/end', async (context) => {
    const actor = context.get('actor');
    const owner = seesAll(actor) ? undefined : actor;
    const entry = { ...by(context), action: 'session-end' };
    const isEnded = await access.sessions.end(context.req.param('id'), owner, entry);
    return isEnded ? context.redirect('/o/sessions', 303) : context.notFound();
  });
  app.post('/o/sessions/end-all', async (context) => {
    const entry = { ...by(context), action: 'sign-out-all' };
    await access.sessions.endAll(context.get('actor'), entry);
    deleteCookie(context, SESSION_COOKIE, sessionCookie);
    return context.redirect('/', 303);
  });
  app.get('/o/users', (context) => showUsers(context));
  app.post('/o/users', async (context) => {
    const form = await context.req.parseBody();
    const fields = texts(form, ['name', 'password', 'role', 'customers']);
    const name = parseAccountName(fields.name);
    const role = roles.find((known) => known === fields.role);
    const customers = customersOf(fields.customers, site);
    if (name === undefined || role === undefined) return showUsers(context, 'web-user-invalid');
    if (customers === 'unknown') return showUsers(context, 'web-customer-unknown');
    if (!isPassword(fields.password)) return showUsers(context, 'web-password-short');
    const password = await access.hash(fields.password);
    const isAdded = await access.accounts.add({ name, role, customers }, password, by(context));
    return isAdded ? context.redirect('/o/users', 303) : showUsers(context, 'web-user-exists');
  });
  app.post('/o/users/:name/remove', async (context) => {
    const isRemoved = await access.accounts.remove(context.req.param('name'), by(context));
    return isRemoved ? context.redirect('/o/users', 303) : context.notFound();
  });
  app.get('/o/audit', (context) => {
    const before = Number(context.req.query('before')) || undefined;
    const entries = access.audit.list(MAX_AUDIT + 1, before);
    const hasMore = entries.length > MAX_AUDIT;
    return show(context, 'Audit log', auditPage(entries.slice(0, MAX_AUDIT), hasMore));
  });
}

/** Returns whether an account may manage the sessions and tokens of other accounts. */
export function seesAll({ role, reach }: Actor): boolean {
  return role === 'admin' && reach.isWhole;
}

/** Returns the token for the forms of an account. */
export function tokenOf({ formKey }: Actor): string {
  return formKey === undefined ? '' : formTokenOf(formKey);
}

/**
 * Parses customer names that are separated by commas. Returns undefined for an empty
 * text, which means all domains.
 */
function customersOf(
  text: string,
  { settings }: SiteResources,
): readonly string[] | undefined | 'unknown' {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) return undefined;
  return names.every((name) => Object.hasOwn(settings.customers, name)) ? names : 'unknown';
}
