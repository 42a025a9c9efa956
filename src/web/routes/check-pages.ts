import type { Context, Hono } from 'hono';
import { parseDomain } from '../../base/index.js';
import { compareResults, findProfile } from '../../check/index.js';
import type { Comparison } from '../../evidence/index.js';
import type { CheckAdmission, CheckService } from '../checks/check-service.js';
import { sentenceOf } from '../failures.js';
import type { CheckRow } from '../checks/check-table.js';
import { badgeImage } from '../pages/badge-image.js';
import { secondsInWords, homePage, type HomeView } from '../pages/home-page.js';
import { problemPage } from '../pages/text-pages.js';
import { progressPage } from '../pages/progress-page.js';
import { failedPage, resultPage } from '../pages/result-page.js';
import type { SiteResources } from './site.js';
import { REVALIDATED } from './conditional.js';
import { isFinished, pageStream } from './check-streams.js';
import { statusOf } from './problem.js';
import { clientOf, isCrossSite, type AppEnv } from './request-guards.js';

type Handled = Context<AppEnv>;

/** Maximum characters of the form's field, which contains one domain. */
const MAX_TYPED = 1000;
/** Seconds after which a browser without scripts loads a progress page again. */
const REFRESH_SECONDS = 3;
const noIndex = { 'x-robots-tag': 'noindex' };

/** Adds the pages of checks: form, progress, result and downloads. */
export function addCheckPages(app: Hono<AppEnv>, site: SiteResources): void {
  app.get('/', (context) => showHome(context, site, {}));
  app.post('/check', async (context) => {
    const typed = await typedDomain(context);
    return startCheck(context, site, typed);
  });
  app.get('/check/:id', (context) => showCheck(context, site));
  app.get('/check/:id/events', (context) => {
    const { id } = context.req.param();
    if (!site.checks.status(id)) return context.notFound();
    return pageStream(site.checks, id);
  });
  app.post('/check/:id/again', (context) => {
    const { id } = context.req.param();
    const row = site.checks.table.find(id);
    if (!row) return context.notFound();
    return startCheck(context, site, row.domain, row.state === 'done' ? id : undefined);
  });
  app.get('/check/:id/evidence.json', (context) => {
    const { id } = context.req.param();
    const evidence = site.checks.evidence(id);
    return evidence ? download(evidence, `${evidence.domain}-evidence.json`) : context.notFound();
  });
  app.get('/check/:id/result.json', (context) => {
    const { id } = context.req.param();
    const result = site.checks.result(id, context.req.query('profile'));
    return result ? download(result, `${result.domain}.json`) : context.notFound();
  });
  app.get('/check/:id/badge.svg', (context) => {
    const result = site.checks.result(context.req.param('id'));
    if (!result) return context.notFound();
    const headers = { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=3600' };
    return context.body(badgeImage(result.verdict), 200, {
      ...headers,
      'cross-origin-resource-policy': 'cross-origin',
    });
  });
}

function showHome(
  context: Handled,
  site: SiteResources,
  view: Omit<HomeView, 'examples'>,
): Response | Promise<Response> {
  const main = homePage({ ...view, examples: site.examples });
  const { problem, retrySeconds } = view;
  if (retrySeconds !== undefined) context.header('retry-after', String(retrySeconds));
  const status = problem === undefined ? 200 : statusOf(problem);
  const title = problem === undefined ? 'Check your mail domain' : 'Not started';
  return site.page(context, { title, main, section: '/' }, status);
}

/** Returns the text of the form's field; empty for another kind of body. */
async function typedDomain(context: Handled): Promise<string> {
  const form = await context.req.parseBody().catch(() => undefined);
  const typed = form?.['domain'];
  return typeof typed === 'string' ? typed.slice(0, MAX_TYPED).trim() : '';
}

/** Starts or finds a check, and redirects the browser to its page. */
async function startCheck(
  context: Handled,
  site: SiteResources,
  typed: string,
  again?: string,
): Promise<Response> {
  if (isCrossSite(context.req.raw.headers, context.req.url))
    return showHome(context, site, { problem: 'web-foreign-form' });
  const domain = parseDomain(domainIn(typed));
  if (!domain.ok) return showHome(context, site, { typed, problem: 'web-domain-invalid' });
  const { isOperator } = context.env;
  const client = clientOf(context, site.settings.proxies);
  const admission = await site.checks.ask({ domain: domain.value, client, again, isOperator });
  if (admission.ok) return context.redirect(`/check/${admission.id}`, 303);
  if (again !== undefined) return showRefusal(context, site, admission);
  const { code: problem, retrySeconds } = admission;
  return showHome(context, site, { typed, problem, retrySeconds: retrySeconds || undefined });
}

function showRefusal(
  context: Handled,
  site: SiteResources,
  { code, retrySeconds }: Extract<CheckAdmission, { readonly ok: false }>,
): Response | Promise<Response> {
  const { message } = sentenceOf(code);
  const fix = `Try again in ${secondsInWords(retrySeconds)}, or go back to the current result.`;
  context.header('retry-after', String(retrySeconds));
  const main = problemPage('Not started', { message, fix });
  return site.page(context, { title: 'Not started', main }, statusOf(code));
}

/** Returns the domain in a pasted text, which may be a mail address or a URL. */
export function domainIn(typed: string): string {
  return typed
    .trim()
    .replace(/^mailto:/i, '')
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/^[^@/]*@/, '')
    .replace(/[/?#].*$/, '')
    .replace(/:\d+$/, '')
    .replace(/\.$/, '');
}

function showCheck(context: Handled, site: SiteResources): Response | Promise<Response> {
  const { id } = context.req.param() as { id: string };
  const status = site.checks.status(id);
  if (!status) return context.notFound();
  for (const [name, value] of Object.entries(noIndex)) context.header(name, value);
  const title = status.domain;
  if (!isFinished(status))
    return site.page(context, { title, main: progressPage(status), refresh: REFRESH_SECONDS });
  const profile = context.req.query('profile') ?? 'baseline';
  // For an unknown profile the browser is redirected to the result under the default
  // profile.
  if (!findProfile(profile)) return context.redirect(`/check/${id}`, 303);
  const result = site.checks.result(id, profile);
  if (status.state === 'failed' || !result) {
    const main = failedPage(status, sentenceOf(status.failure ?? 'web-check-unknown'));
    return site.page(context, { title, main });
  }
  const comparison = comparisonOf(site.checks, status, profile);
  context.header('cache-control', REVALIDATED);
  return site.page(context, { title, main: resultPage({ row: status, result, comparison }) });
}

/**
 * Returns the difference between a check and the earlier check that it repeats, under the
 * same profile.
 */
function comparisonOf(
  checks: CheckService,
  { id, previous }: CheckRow,
  profile: string,
): Comparison | undefined {
  const before = previous === undefined ? undefined : checks.result(previous, profile);
  const after = checks.result(id, profile);
  return before && after && compareResults(before, after);
}

function download(value: unknown, fileName: string): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    headers: {
      'content-type': 'application/json',
      'cache-control': REVALIDATED,
      'content-disposition': `attachment; filename="${fileName.replace(/[^a-z0-9.-]/gi, '_')}"`,
      ...noIndex,
    },
  });
}
