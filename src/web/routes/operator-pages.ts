import type { Context, Hono } from 'hono';
import { readHistory } from '../../check/index.js';
import {
  listReports,
  readChecks,
  readReport,
  showDomainInTurns,
} from '../../tls-rpt-receive/index.js';
import { listAlarms, mutedDomains, openAlarms, readWatch } from '../../watch/index.js';
import { includesRole } from '../roles.js';
import { sentenceOf } from '../failures.js';
import { customersOf } from '../operator/customers.js';
import { REPORTER_DAYS, type OwnDomainsReader } from '../operator/own-domains.js';
import { planFor, type PlanReader } from '../operator/plan-reader.js';
import { customerPage, customersPage } from '../pages/operator/customer-pages.js';
import { checksPage, publishedPage } from '../pages/operator/domain-details.js';
import { domainPage } from '../pages/operator/domain-page.js';
import {
  alertsPage,
  reportersPage,
  reportPage,
  reportsPage,
  sendingPage,
  settingsPage,
} from '../pages/operator/lists.js';
import { planPage } from '../pages/operator/plan-page.js';
import { overviewPage } from '../pages/operator/overview-page.js';
import { tokenOf } from './account-pages.js';
import type { AppEnv } from './request-guards.js';
import { texts } from './sign-in-routes.js';
import type { SiteResources } from './site.js';

type Handled = Context<AppEnv>;

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Maximum number of hours for which a domain may be muted: 30 days. */
const MAX_MUTE_HOURS = 720;
/** Maximum number of rows on one page of reports. */
const MAX_REPORTS = 50;
const MAX_ALARMS = 100;
const MAX_REPORTERS = 200;
const MAX_CHECKS = 30;
const MAX_NOTES = 200;
/** Milliseconds that a page waits for an observation. */
const PAGE_WAIT = 2000;
/** Maximum number of days on one page of a domain. */
const MAX_DAYS = 366;

/** The readers of the data that the operator pages and their API show. */
export interface OperatorReaders {
  readonly own: OwnDomainsReader;
  readonly plans: PlanReader;
}

/**
 * Adds the pages of the operator. The access gate decides which accounts can open each
 * page.
 */
export function addOperatorPages(
  app: Hono<AppEnv>,
  site: SiteResources,
  { own, plans }: OperatorReaders,
): void {
  const { clock } = site.context;
  const { store } = own;
  const show = (
    context: Handled,
    title: string,
    main: ReturnType<typeof overviewPage>,
  ): Response | Promise<Response> => site.page(context, { title, main, section: '/o' });
  app.get('/o', async (context) => {
    const { reach } = context.get('actor');
    const query = (context.req.query('q') ?? '').slice(0, 253);
    const domains = await own.all(reach.covers);
    const main = overviewPage(domains, (domain) => own.policyOf(domain), {
      query,
      isWhole: reach.isWhole,
    });
    return show(context, 'Your domains', main);
  });
  app.get('/o/domains/:domain', async (context) => {
    const { domain } = context.req.param();
    if (!own.knows(domain)) return context.notFound();
    const days = daysOf(context.req.query('days'));
    const view = await showDomainInTurns(store, domain, { now: clock.now(), days });
    return show(context, domain, domainPage(view, days));
  });
  app.get('/o/domains/:domain/checks', (context) => {
    const { domain } = context.req.param();
    const since = clock.now() - REPORTER_DAYS * DAY;
    const results = [...readChecks(store, domain, since), ...readHistory(store, { domain, since })]
      .sort((left, right) => right.checkedAt.localeCompare(left.checkedAt))
      .slice(0, MAX_CHECKS);
    const rows = site.checks.table.history(domain, MAX_CHECKS);
    const watched = own.watched(domain);
    if (!watched && rows.length === 0 && !own.knows(domain)) return context.notFound();
    return show(context, domain, checksPage({ domain, watched, results, rows }));
  });
  app.get('/o/domains/:domain/published', (context) => {
    const { domain } = context.req.param();
    if (!own.knows(domain)) return context.notFound();
    const { ledger } = own;
    const { served } = ledger.domain(domain);
    const notes = ledger.notes(MAX_NOTES).filter(({ subject }) => subject === domain);
    const failures = ledger.failures({ kind: 'domain', name: domain });
    const body = ledger.body(domain);
    return show(context, domain, publishedPage({ domain, served, body, notes, failures }));
  });
  app.get('/o/domains/:domain/plan', async (context) => {
    const { domain } = context.req.param();
    const { isWhole } = context.get('actor').reach;
    const found = planFor(await plans.read(domain, PAGE_WAIT), isWhole);
    const isAbsent = !found.ok && found.code === 'web-plan-absent';
    if (isAbsent && !own.knows(domain)) return context.notFound();
    if (found.ok) return show(context, domain, planPage(domain, found));
    // The browser loads the page again, even without scripts, while the observation
    // continues.
    if (found.code === 'web-plan-pending') context.header('refresh', '3');
    const { message, fix } = sentenceOf(found.code);
    return show(context, domain, planPage(domain, { says: `${message} ${fix}` }));
  });
  app.get('/o/reporters', async (context) => {
    const reporters = await own.reporters(MAX_REPORTERS);
    return show(context, 'Reporters', reportersPage(reporters, REPORTER_DAYS));
  });
  app.get('/o/reports', async (context) => {
    const only = selectionOf(context.req.query('only'));
    const before = Number(context.req.query('before')) || undefined;
    const found = listReports(store, { only, before, limit: MAX_REPORTS + 1 });
    const { overview } = await own.all();
    const more = found.length > MAX_REPORTS;
    const main = reportsPage(found.slice(0, MAX_REPORTS), { only, overview, more });
    return show(context, 'Reports', main);
  });
  app.get('/o/reports/:id{[0-9]{1,15}}', (context) => {
    const report = readReport(store, Number(context.req.param('id')));
    return report ? show(context, `Report ${report.id}`, reportPage(report)) : context.notFound();
  });
  app.get('/o/alerts', (context) => {
    const { covers } = context.get('actor').reach;
    const open = Object.entries(readWatch(store).domains)
      .filter(([domain]) => covers(domain))
      .reduce((sum, [, state]) => sum + openAlarms(state), 0);
    const actor = context.get('actor');
    const view = {
      alarms: listAlarms(store, MAX_ALARMS, covers),
      open,
      muted: [...mutedDomains(store, clock.now())].filter(([domain]) => covers(domain)),
      token: includesRole(actor.role, 'operator') ? tokenOf(actor) : undefined,
    };
    return show(context, 'Alerts', alertsPage(view));
  });
  app.post('/o/alerts/mute', async (context) => {
    const form = await context.req.parseBody();
    const { domain, hours } = texts(form, ['domain', 'hours']);
    const name = domain.trim().toLowerCase();
    // A domain of another customer gets the same answer as an unknown domain.
    if (!context.get('actor').reach.covers(name) || !own.knows(name)) return context.notFound();
    const length = Math.min(Math.max(0, Number(hours) || 0), MAX_MUTE_HOURS);
    await site.mute(context, name, length === 0 ? 0 : clock.now() + length * HOUR);
    return context.redirect('/o/alerts', 303);
  });
  app.get('/o/customers', async (context) => {
    const { domains } = await own.all(context.get('actor').reach.covers);
    const customers = customersOf(context.get('actor'), site.settings.customers, domains);
    return show(context, 'Customers', customersPage(customers));
  });
  app.get('/o/customers/:customer', async (context) => {
    const { domains } = await own.all(context.get('actor').reach.covers);
    const { customer } = context.req.param();
    const found = customersOf(context.get('actor'), site.settings.customers, domains).find(
      ({ name }) => name === customer,
    );
    return found ? show(context, customer, customerPage(found)) : context.notFound();
  });
  app.get('/o/settings', (context) =>
    show(context, 'Settings', settingsPage(site.context.configuration?.())),
  );
  app.get('/o/sending', (context) =>
    show(context, 'Sending', sendingPage(own.cachedPolicies(clock.now()))),
  );
}

function daysOf(text: string | undefined): number {
  const days = Number(text);
  return Number.isInteger(days) && days >= 1 && days <= MAX_DAYS ? days : 14;
}

function selectionOf(text: string | undefined): 'uncounted' | 'odd' | undefined {
  return text === 'uncounted' || text === 'odd' ? text : undefined;
}
