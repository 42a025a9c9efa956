import type { Context, Hono } from 'hono';
import type { AccessService } from '../access/access-service.js';
import { scopes, type Actor } from '../roles.js';
import type { ApiToken } from '../access/token-table.js';
import type { WebFailureCode } from '../failures.js';
import { tokensPage } from '../pages/operator/token-page.js';
import { seesAll, tokenOf } from './account-pages.js';
import { statusOf } from './problem.js';
import { clientOf, type AppEnv } from './request-guards.js';
import { texts } from './sign-in-routes.js';
import type { SiteResources } from './site.js';

const DAY = 86_400_000;
const MAX_DAYS = 365;
const MAX_LABEL = 100;

/** The requested properties of a new token. */
export interface TokenRequest {
  readonly label: string;
  readonly scopes: readonly string[];
  readonly days: number;
}

/**
 * Adds the pages of API tokens. The secret of a new token is shown only once, in the
 * answer to the form.
 */
export function addTokenPages(app: Hono<AppEnv>, site: SiteResources, access: AccessService): void {
  const { clock } = site.context;
  const show = (
    context: Context<AppEnv>,
    more: { readonly secret?: string; readonly problem?: WebFailureCode } = {},
  ): Response | Promise<Response> => {
    const actor = context.get('actor');
    const tokens = access.tokens.list(clock.now(), seesAll(actor) ? undefined : ownerOf(actor));
    const main = tokensPage({ tokens, formToken: tokenOf(actor), ...more });
    const status = more.problem === undefined ? 200 : statusOf(more.problem);
    return site.page(context, { title: 'Tokens', main, section: '/o' }, status);
  };
  app.get('/o/tokens', (context) => show(context));
  app.post('/o/tokens', async (context) => {
    const form = await context.req.parseBody();
    const { label, days } = texts(form, ['label', 'days']);
    const wanted = scopes.filter((scope) => form[`scope-${scope}`] === 'on');
    const request = { label, scopes: wanted, days: Number(days) };
    const created = await createToken(context, site, access, request);
    return show(context, created.ok ? { secret: created.secret } : { problem: created.code });
  });
  app.post('/o/tokens/:id/revoke', async (context) => {
    const isRevoked = await revokeToken(context, site, access, context.req.param('id'));
    return isRevoked ? context.redirect('/o/tokens', 303) : context.notFound();
  });
}

/** Creates a token with at most the rights of its creator. */
export async function createToken(
  context: Context<AppEnv>,
  site: SiteResources,
  access: AccessService,
  { label: typed, scopes: wanted, days }: TokenRequest,
): Promise<
  | { readonly ok: true; readonly secret: string }
  | { readonly ok: false; readonly code: WebFailureCode }
> {
  const actor = context.get('actor');
  const label = typed.trim();
  const known = scopes.filter((scope) => wanted.includes(scope));
  const isValid =
    label !== '' && label.length <= MAX_LABEL && known.length === wanted.length && known.length > 0;
  if (!isValid || !Number.isInteger(days) || days < 1 || days > MAX_DAYS)
    return { ok: false, code: 'web-token-invalid' };
  // A request with a token cannot create a token with further scopes.
  if (actor.scopes && !known.every((scope) => actor.scopes?.includes(scope)))
    return { ok: false, code: 'web-scope-missing' };
  const { role, customers } = actor;
  const { name: owner, way } = ownerOf(actor);
  const endsAt = site.context.clock.now() + days * DAY;
  const by = access.entryBy(actor, clientOf(context, site.settings.proxies));
  const token = { label, owner, way, role, customers, scopes: known, endsAt };
  const secret = await access.tokens.create(token, by);
  return secret === undefined ? { ok: false, code: 'web-token-limit' } : { ok: true, secret };
}

/**
 * Revokes a token, which must belong to the account unless the account is an admin.
 * Resolves to false if the token does not exist.
 */
export function revokeToken(
  context: Context<AppEnv>,
  site: SiteResources,
  access: AccessService,
  id: string,
): Promise<boolean> {
  const actor = context.get('actor');
  const owner = seesAll(actor) ? undefined : ownerOf(actor);
  const by = access.entryBy(actor, clientOf(context, site.settings.proxies));
  return access.tokens.revoke(id, owner, by);
}

/**
 * Returns the account that owns the tokens that a request creates. For a request with a
 * token, this is the owner of the token.
 */
export function ownerOf(actor: Actor): { name: string; way: ApiToken['way'] } {
  return { name: actor.name, way: actor.tokenWay ?? actor.way };
}
