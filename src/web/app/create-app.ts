import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import type { AccessService, SignInSecrets } from '../access/access-service.js';
import type { OidcSignIn } from '../access/oidc-sign-in.js';
import { routesWithoutRule } from '../access/access-table.js';
import { formTokenOf } from '../access/random-secret.js';
import { muteDomain } from '../../watch/index.js';
import { version } from '../../base/index.js';
import type { BatchService } from '../checks/batch-service.js';
import type { CheckService } from '../checks/check-service.js';
import type { PagesContext } from '../checks/pages-context.js';
import { sentenceOf } from '../failures.js';
import type { ExampleDomain } from '../pages/home-page.js';
import { apiPage } from '../pages/api-page.js';
import { sitePage, type Place } from '../pages/layout.js';
import { OwnDomainsReader } from '../operator/own-domains.js';
import { PlanReader } from '../operator/plan-reader.js';
import { sectionsOf } from '../pages/operator/sections.js';
import { siteStyle } from '../pages/site-style.js';
import { aboutPage, optOutPage, privacyPage, problemPage } from '../pages/text-pages.js';
import { addApiRoutes, openApiDocument } from '../routes/api-routes.js';
import { addCheckPages } from '../routes/check-pages.js';
import { addAccountApi } from '../routes/account-api.js';
import { addAccountPages } from '../routes/account-pages.js';
import { addBatchApi } from '../routes/batch-api.js';
import { addOidcRoutes } from '../routes/oidc-routes.js';
import { addOperatorApi } from '../routes/operator-api.js';
import { addTokenPages } from '../routes/token-pages.js';
import { answerConditionally, methodsOf, REVALIDATED } from '../routes/conditional.js';
import { accessGate, domainGate, refuse } from '../routes/gate.js';
import { addOperatorPages } from '../routes/operator-pages.js';
import { problemResponse, statusOf } from '../routes/problem.js';
import { clientOf, isRebound, securityHeaders, type AppEnv } from '../routes/request-guards.js';
import { addReportApi } from '../routes/report-api.js';
import { addSenderApi } from '../routes/sender-api.js';
import { addSenderPages } from '../routes/sender-pages.js';
import { addStatisticsApi, addStatisticsPages } from '../routes/statistics-pages.js';
import { SenderTests } from '../sender/sender-tests.js';
import type { PagesSettings } from '../settings.js';
import { addSignInRoutes } from '../routes/sign-in-routes.js';
import type { SiteResources } from '../routes/site.js';

/** Options of the pages in addition to the settings. */
export interface OpenPagesOptions {
  /** Domains that the first page suggests. */
  readonly examples?: readonly ExampleDomain[] | undefined;
  /**
   * Whether to add the pages of the operator, which read the tables of the other jobs.
   */
  readonly hasOperatorPages?: boolean;
  /** The secrets of the sign-in, which are read from files. */
  readonly secrets?: SignInSecrets;
}

/** The services behind the routes. */
export interface AppServices {
  readonly checks: CheckService;
  readonly access: AccessService;
  readonly batches: BatchService;
  readonly oidc: OidcSignIn | undefined;
}

/**
 * A file that pages load. The path changes with the content, so browsers may cache the
 * file.
 */
interface Asset {
  readonly path: string;
  readonly mediaType: string;
  readonly body: string;
}

function asset(name: string, mediaType: string, body: string): Asset {
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
  const [stem, extension] = name.split('.');
  return { path: `/assets/${stem}-${hash}.${extension}`, mediaType, body };
}

/** The compiled script of the package. */
const script = asset(
  'live.js',
  'text/javascript; charset=utf-8',
  readFileSync(new URL('../browser/live.js', import.meta.url), 'utf8'),
);
const style = asset('site.css', 'text/css; charset=utf-8', siteStyle);

/** The application, its check service and its routes. */
export interface App {
  readonly fetch: (request: Request, env: AppEnv['Bindings']) => Response | Promise<Response>;
  readonly checks: CheckService;
  /** Every route as `METHOD path`, for tests that visit all of them. */
  readonly routes: readonly string[];
}

/** Creates the application with all routes of the site. Opens no port. */
export function createApp(
  settings: PagesSettings,
  context: PagesContext,
  { checks, access, batches, oidc }: AppServices,
  { examples = [], hasOperatorPages = false }: OpenPagesOptions,
): App {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (parsed) =>
      parsed.success
        ? undefined
        : problemResponse('web-request-invalid', undefined, firstIssue(parsed.error.issues)),
  });
  const site: SiteResources = {
    settings,
    context,
    checks,
    senderTests:
      context.senderTest && new SenderTests(context.senderTest, context.store, context.clock),
    examples,
    mute: (request, domain, until) =>
      muteDomain(context.store, domain, until, () =>
        access.audit.append({
          ...access.entryBy(request.get('actor'), clientOf(request, settings.proxies)),
          action: until > context.clock.now() ? 'mute' : 'unmute',
          subject: domain,
          outcome: 'done',
        }),
      ),
    page: (request, page, status = 200) =>
      request.html(
        sitePage(page, {
          path: request.req.path,
          account: accountOf(request),
          hasSignIn: settings.signIn !== undefined,
          hasSenderTest: context.senderTest !== undefined,
          hasStatistics: context.statistics !== undefined,
          style: style.path,
          script: script.path,
        }),
        status as 200,
      ),
  };
  app.use(async (request, next) => {
    if (request.env.isOperator && isRebound(request.req.header('host')))
      return problemResponse('web-operator-only');
    await next();
    for (const [name, value] of Object.entries(securityHeaders))
      if (!request.res.headers.has(name)) request.res.headers.set(name, value);
  });
  app.use(answerConditionally);
  app.use(accessGate(site, access, oidc));
  for (const prefix of ['/o/domains/:domain', '/api/v1/domains/:domain'])
    for (const path of [prefix, `${prefix}/*`]) app.use(path, domainGate(site));
  app.get('/assets/:file', (request) => {
    const file = [style, script].find(({ path }) => path === request.req.path);
    if (!file) return request.notFound();
    return request.body(file.body, 200, {
      'content-type': file.mediaType,
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });
  addCheckPages(app, site);
  addSenderPages(app, site);
  addApiRoutes(app, site);
  addSenderApi(app, site);
  addStatisticsPages(app, site);
  addStatisticsApi(app, site);
  addSignInRoutes(app, site, access);
  addOidcRoutes(app, site, { access, oidc });
  if (hasOperatorPages) {
    const own = new OwnDomainsReader(site.context.store, site.context.clock);
    const { clock, log } = context;
    const plans = new PlanReader({ source: context.plans, ledger: own.ledger, clock, log });
    addOperatorPages(app, site, { own, plans });
    addAccountPages(app, site, access);
    addTokenPages(app, site, access);
    addOperatorApi(app, site, { own, plans });
    addAccountApi(app, site, access);
    addBatchApi(app, site, batches);
    addReportApi(app, site);
  }
  addTextPages(app, site);
  const routes = [...new Set(app.routes.map(({ method, path }) => `${method} ${path}`))];
  const open = routesWithoutRule(routes);
  if (open.length > 0) throw new Error(`routes without a rule of access: ${open.join(', ')}`);
  app.notFound(async (request) => {
    const { method, path } = request.req;
    const accepted = methodsOf(app, path);
    if (accepted.length > 0 && !accepted.includes(method === 'OPTIONS' ? '' : method)) {
      const headers = { allow: accepted.join(', ') };
      if (method === 'OPTIONS') return request.body(null, 204, headers);
      const refusal = await refuse(request, site, 'web-method-unknown', 'Not possible');
      refusal.headers.set('allow', headers.allow);
      return refusal;
    }
    if (request.req.path.startsWith('/api/')) return problemResponse('web-page-unknown');
    const code = request.req.path.startsWith('/check/') ? 'web-check-unknown' : 'web-page-unknown';
    const main = problemPage('Not found', sentenceOf(code));
    return site.page(request, { title: 'Not found', main }, statusOf(code));
  });
  app.onError((error, request) => {
    // A body that is not JSON is a fault of the client, so it is not logged.
    if (error instanceof HTTPException && error.status < 500)
      return problemResponse('web-request-invalid', undefined, 'The body cannot be read.');
    context.log.error('web-route-failed', { path: request.req.path, error: error.message });
    if (request.req.path.startsWith('/api/')) return problemResponse('web-check-broken');
    const main = problemPage('Something broke', sentenceOf('web-check-broken'));
    return site.page(request, { title: 'Something broke', main }, 500);
  });
  return {
    fetch: (request, env) => app.fetch(request, env),
    checks,
    routes,
  };
}

/**
 * Returns the account that the navigation shows; undefined on public pages, where the
 * server reads no cookie.
 */
function accountOf(request: Parameters<SiteResources['page']>[0]): Place['account'] {
  const { isOperator } = request.env;
  const actor = (request.var as Partial<AppEnv['Variables']>).actor;
  if (!actor) return isOperator ? { sections: [] } : undefined;
  const { session, formKey, name } = actor;
  const sections = sectionsOf(actor);
  if (session === undefined || formKey === undefined) return { sections };
  return { sections, session: { name, token: formTokenOf(formKey) } };
}

function addTextPages(app: OpenAPIHono<AppEnv>, site: SiteResources): void {
  const { settings } = site;
  app.get('/about', (request) =>
    site.page(request, { title: 'About', main: aboutPage(settings), section: '/about' }),
  );
  app.get('/opt-out', (request) =>
    site.page(request, { title: 'Opt out', main: optOutPage(settings) }),
  );
  app.get('/privacy', (request) =>
    site.page(request, { title: 'Privacy', main: privacyPage(settings) }),
  );
  app.get('/favicon.ico', (request) => request.body(null, 204));
  app.get('/robots.txt', (request) => request.text('User-agent: *\nDisallow: /check/\n'));
  // The document is large and the same for every client, so it is created once.
  let description: ReturnType<typeof openApiDocument> | undefined;
  let text: string | undefined;
  const openApi = (): ReturnType<typeof openApiDocument> =>
    (description ??= openApiDocument(app, version));
  app.get('/api/v1/openapi.json', (request) =>
    request.body((text ??= JSON.stringify(openApi())), 200, {
      'content-type': 'application/json',
      'cache-control': REVALIDATED,
    }),
  );
  let shown: { readonly origin: string; readonly main: ReturnType<typeof apiPage> } | undefined;
  app.get('/api', (request) => {
    const { origin } = new URL(request.req.url);
    if (shown?.origin !== origin) shown = { origin, main: apiPage(openApi(), origin) };
    const { main } = shown;
    return site.page(request, { title: 'API', main, section: '/api' });
  });
}

/** Returns the first fault in a request, with its place. */
function firstIssue(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const [issue] = issues;
  return issue === undefined ? '' : `${issue.path.map(String).join('.')}: ${issue.message}`;
}
