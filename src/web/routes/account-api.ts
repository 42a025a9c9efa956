import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { AccessService } from '../access/access-service.js';
import { parseAccountName, type ChangeBy } from '../access/account-table.js';
import { isPassword } from '../access/password-hash.js';
import { seesAll } from './account-pages.js';
import { pageOf, positionOf } from './cursor.js';
import * as form from './operator-schemas.js';
import { problemResponse } from './problem.js';
import { clientOf, type AppEnv } from './request-guards.js';
import { createToken, ownerOf, revokeToken } from './token-pages.js';
import type { SiteResources } from './site.js';

const gone = { description: 'The object no longer exists.' };

const listUsers = createRoute({
  ...form.readByToken,
  path: '/api/v1/users',
  summary: 'List users',
  description: 'Local accounts.',
  responses: form.page('Users', form.user, 'The accounts.'),
});
const addUser = createRoute({
  method: 'post',
  ...form.byToken,
  path: '/api/v1/users',
  summary: 'Add a user',
  description: 'Adds a local account.',
  request: { body: form.body(form.userRequest) },
  responses: { 201: form.json(form.user, 'The account.'), ...form.refusals(409, 422) },
});
const removeUser = createRoute({
  method: 'delete',
  ...form.byToken,
  path: '/api/v1/users/{name}',
  summary: 'Remove a user',
  description: 'Removes a local account with its sessions and tokens.',
  request: { params: form.namePath },
  responses: { 204: gone, ...form.refusals() },
});
const listTokens = createRoute({
  ...form.readByToken,
  path: '/api/v1/tokens',
  summary: 'List tokens',
  description: 'Tokens of the account; an admin sees all of them.',
  responses: form.page('Tokens', form.token, 'The tokens.'),
});
const addToken = createRoute({
  method: 'post',
  ...form.byToken,
  path: '/api/v1/tokens',
  summary: 'Create a token',
  description:
    'The token has at most the rights and scopes of the account or token that creates it.',
  request: { body: form.body(form.tokenRequest) },
  responses: { 201: form.json(form.newToken, 'The secret.'), ...form.refusals(409, 422) },
});
const removeToken = createRoute({
  method: 'delete',
  ...form.byToken,
  path: '/api/v1/tokens/{id}',
  summary: 'Revoke a token',
  description: 'The daemon refuses the token from now on.',
  request: { params: form.idPath },
  responses: { 204: gone, ...form.refusals() },
});
const listAudit = createRoute({
  ...form.readByToken,
  path: '/api/v1/audit',
  summary: 'Read the audit log',
  description: 'Sign-ins and changes, newest first.',
  request: { query: form.pageQuery },
  responses: form.page('AuditLog', form.auditEntry, 'The entries.'),
});

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** Adds users, tokens and the audit log to the API. */
export function addAccountApi(
  app: OpenAPIHono<AppEnv>,
  site: SiteResources,
  access: AccessService,
): void {
  const { clock } = site.context;
  const by = (context: Context<AppEnv>): ChangeBy =>
    access.entryBy(context.get('actor'), clientOf(context, site.settings.proxies));
  const userOf = (account: ReturnType<typeof access.accounts.list>[number]) => ({
    name: account.name,
    role: account.role,
    customers: account.customers && [...account.customers],
    createdAt: iso(account.createdAt),
  });
  app.openapi(listUsers, (context) =>
    context.json({ items: access.accounts.list().map(userOf) }, 200),
  );
  app.openapi(addUser, async (context) => {
    const { name: typed, password, role, customers } = context.req.valid('json');
    const name = parseAccountName(typed);
    if (name === undefined) return problemResponse('web-user-invalid');
    if (!isPassword(password)) return problemResponse('web-password-short');
    const isKnown = (customer: string): boolean => Object.hasOwn(site.settings.customers, customer);
    if (customers?.every(isKnown) === false) return problemResponse('web-customer-unknown');
    const hash = await access.hash(password);
    const isAdded = await access.accounts.add({ name, role, customers }, hash, by(context));
    const account = access.accounts.find(name);
    if (!isAdded || !account) return problemResponse('web-user-exists');
    return context.json(userOf(account), 201);
  });
  app.openapi(removeUser, async (context) => {
    const { name } = context.req.valid('param');
    if (!(await access.accounts.remove(name, by(context))))
      return problemResponse('web-page-unknown');
    return context.body(null, 204);
  });
  app.openapi(listTokens, (context) => {
    const actor = context.get('actor');
    const tokens = access.tokens.list(clock.now(), seesAll(actor) ? undefined : ownerOf(actor));
    const items = tokens.map(({ id, label, owner, role, customers, scopes, ...times }) => ({
      id,
      label,
      owner,
      role,
      customers: customers && [...customers],
      scopes: [...scopes],
      createdAt: iso(times.createdAt),
      endsAt: iso(times.endsAt),
      usedAt: times.usedAt === undefined ? undefined : iso(times.usedAt),
    }));
    return context.json({ items }, 200);
  });
  app.openapi(addToken, async (context) => {
    const request = context.req.valid('json');
    const created = await createToken(context, site, access, request);
    if (!created.ok) return problemResponse(created.code);
    return context.json({ secret: created.secret }, 201);
  });
  app.openapi(removeToken, async (context) => {
    const { id } = context.req.valid('param');
    if (!(await revokeToken(context, site, access, id))) return problemResponse('web-page-unknown');
    return context.body(null, 204);
  });
  app.openapi(listAudit, (context) => {
    const { limit, after } = context.req.valid('query');
    const position = after === undefined ? undefined : Number(positionOf(after));
    if (position !== undefined && !Number.isSafeInteger(position))
      return problemResponse('web-cursor-invalid');
    const found = access.audit.list(limit + 1, position);
    const item = ({ id, at, ...entry }: (typeof found)[number]) => ({
      ...entry,
      id: String(id),
      at: iso(at),
    });
    return context.json(pageOf(found, limit, { position: ({ id }) => id, item }), 200);
  });
}
