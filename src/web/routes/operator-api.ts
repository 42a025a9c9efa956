import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  listReports,
  readChecks,
  readReport,
  showDomainInTurns,
  type ListedReport,
} from '../../tls-rpt-receive/index.js';
import type { FailedAction } from '../../publish/index.js';
import { listAlarms, mutedDomains } from '../../watch/index.js';
import { customersOf } from '../operator/customers.js';
import { REPORTER_DAYS, urgencyOf, type OwnDomain } from '../operator/own-domains.js';
import { planFor, type ObservedPlan } from '../operator/plan-reader.js';
import { pageOf, positionOf } from './cursor.js';
import * as form from './operator-schemas.js';
import type { OperatorReaders } from './operator-pages.js';
import { problemResponse, statusOf } from './problem.js';
import type { AppEnv } from './request-guards.js';
import type { SiteResources } from './site.js';

const DAY = 86_400_000;
const MAX_MUTE_DAYS = 30;
const MAX_NOTES = 200;
const MAX_ALARMS = 1000;
/**
 * Milliseconds that an answer waits for an observation, and seconds until the client may
 * try again.
 */
const PLAN_WAIT = 10_000;
const PLAN_RETRY = 5;
const severityNames = ['well', 'unknown', 'attention', 'failing'] as const;

const listDomains = createRoute({
  ...form.readByToken,
  path: '/api/v1/domains',
  summary: 'List your domains',
  description: 'Domains that are watched, published or reported, in alphabetical order.',
  request: { query: form.pageQuery },
  responses: form.page('OwnDomains', form.ownDomain, 'The domains.'),
});
const readDomain = createRoute({
  ...form.readByToken,
  path: '/api/v1/domains/{domain}',
  summary: 'Read a domain',
  description: 'The state of one domain.',
  request: { params: form.domainPathParameter },
  responses: { 200: form.json(form.ownDomain, 'The domain.'), ...form.refusals() },
});
const readView = createRoute({
  ...form.readByToken,
  path: '/api/v1/domains/{domain}/report',
  summary: 'Read the reports on a domain',
  description: 'Sessions by day, and failures in groups with cause and steps.',
  request: {
    params: form.domainPathParameter,
    query: form.pageQuery.pick({}).extend({ days: form.days }),
  },
  responses: { 200: form.json(form.reportView, 'hermetic.report-view/1.'), ...form.refusals() },
});
const listChecks = createRoute({
  ...form.readByToken,
  path: '/api/v1/domains/{domain}/checks',
  summary: 'List the checks of a domain',
  description: 'Finished checks of the last 30 days, newest first.',
  request: { params: form.domainPathParameter },
  responses: form.page('CheckEntries', form.checkEntry, 'The checks.'),
});
const readPublished = createRoute({
  ...form.readByToken,
  path: '/api/v1/domains/{domain}/published',
  summary: 'Read the published state of a domain',
  description:
    'The served policy, the policies that senders may have cached, and the last actions.',
  request: { params: form.domainPathParameter },
  responses: { 200: form.json(form.publishedDomain, 'The published state.'), ...form.refusals() },
});
const readPlan = createRoute({
  ...form.readByToken,
  path: '/api/v1/domains/{domain}/plan',
  summary: 'Read the plan of a domain',
  description:
    'The next steps of publishing with their reasons and changes, and the conditions that they wait for. The daemon observes the domain first and executes nothing.',
  request: { params: form.domainPathParameter },
  responses: { 200: form.json(form.domainPlan, 'The plan.'), ...form.refusals(503) },
});
const mute = createRoute({
  method: 'put',
  ...form.byToken,
  path: '/api/v1/domains/{domain}/mute',
  summary: 'Mute the alarms of a domain',
  description: 'Channels receive the alarms of the domain after this time. No alarm is lost.',
  request: { params: form.domainPathParameter, body: form.body(form.muteRequest) },
  responses: { 200: form.json(form.muteRequest, 'The domain is muted.'), ...form.refusals(422) },
});
const unmute = createRoute({
  method: 'delete',
  ...form.byToken,
  path: '/api/v1/domains/{domain}/mute',
  summary: 'End the mute of a domain',
  description: 'Channels receive its alarms again.',
  request: { params: form.domainPathParameter },
  responses: { 204: { description: 'The domain is not muted.' }, ...form.refusals() },
});
const listAlerts = createRoute({
  ...form.readByToken,
  path: '/api/v1/alerts',
  summary: 'List alarms',
  description: 'Alarms of the watch, newest first.',
  request: { query: form.pageQuery },
  responses: form.page('Alarms', form.alarm, 'The alarms.'),
});
const listCustomers = createRoute({
  ...form.readByToken,
  path: '/api/v1/customers',
  summary: 'List customers',
  description: 'Groups of domains of the configuration.',
  responses: form.page('Customers', form.customer, 'The customers.'),
});
const listReporterRows = createRoute({
  ...form.readByToken,
  path: '/api/v1/reporters',
  summary: 'List reporters',
  description: 'Reporters of the last 30 days, the most reports first.',
  request: { query: form.pageQuery.pick({ limit: true }) },
  responses: form.page('Reporters', form.reporter, 'The reporters.'),
});
const listReportRows = createRoute({
  ...form.readByToken,
  path: '/api/v1/reports',
  summary: 'List reports',
  description: 'Reports as they arrived, newest first.',
  request: { query: form.reportQuery },
  responses: form.page('Reports', form.listedReport, 'The reports.'),
});
const readReportRow = createRoute({
  ...form.readByToken,
  path: '/api/v1/reports/{id}',
  summary: 'Read a report',
  description: 'One report as it arrived, with its departures from RFC 8460.',
  request: { params: form.idPath },
  responses: { 200: form.json(form.reportDocument, 'The report.'), ...form.refusals() },
});
const listSending = createRoute({
  ...form.readByToken,
  path: '/api/v1/sending',
  summary: 'List cached policies',
  description: 'MTA-STS policies that the senders of this machine apply.',
  responses: form.page('CachedPolicies', form.cachedPolicy, 'The policies.'),
});

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const optionalTime = (milliseconds: number | undefined): string | undefined =>
  milliseconds === undefined ? undefined : iso(milliseconds);

/**
 * Adds the API of the operator pages. The access gate decides which accounts can use each
 * route.
 */
export function addOperatorApi(
  app: OpenAPIHono<AppEnv>,
  site: SiteResources,
  { own, plans }: OperatorReaders,
): void {
  const { clock } = site.context;
  const { store } = own;
  const covers = (context: Context<AppEnv>): ((domain: string) => boolean) =>
    context.get('actor').reach.covers;
  const domainsOf = async (context: Context<AppEnv>): Promise<readonly OwnDomain[]> =>
    (await own.all(covers(context))).domains;
  const describe = (domain: OwnDomain, muted: ReadonlyMap<string, number>) => {
    const until = muted.get(domain.domain);
    return {
      domain: domain.domain,
      severity: severityNames[urgencyOf(domain)],
      verdict: domain.watched?.verdict,
      openAlarms: domain.alarms,
      mutedUntil: until === undefined ? undefined : iso(until),
      publishedMode: own.policyOf(domain.domain)?.mode,
      failing: domain.failing && failingOf(domain.failing),
    };
  };
  app.openapi(listDomains, async (context) => {
    const { limit, after } = context.req.valid('query');
    const position = after === undefined ? '' : positionOf(after);
    if (position === undefined) return problemResponse('web-cursor-invalid');
    const muted = mutedDomains(store, clock.now());
    const found = [...(await domainsOf(context))]
      .filter(({ domain }) => domain > position)
      .sort((left, right) => (left.domain < right.domain ? -1 : 1));
    const item = (domain: OwnDomain) => describe(domain, muted);
    return context.json(pageOf(found, limit, { position: ({ domain }) => domain, item }), 200);
  });
  app.openapi(readDomain, async (context) => {
    const { domain } = context.req.valid('param');
    const found = (await domainsOf(context)).find((one) => one.domain === domain);
    if (!found) return problemResponse('web-page-unknown');
    return context.json(describe(found, mutedDomains(store, clock.now())), 200);
  });
  app.openapi(readView, async (context) => {
    const { domain } = context.req.valid('param');
    if (!own.knows(domain)) return problemResponse('web-page-unknown');
    const { days } = context.req.valid('query');
    const view = await showDomainInTurns(store, domain, { now: clock.now(), days });
    return context.json(view as never, 200);
  });
  app.openapi(listChecks, (context) => {
    const { domain } = context.req.valid('param');
    const watched = readChecks(store, domain, clock.now() - REPORTER_DAYS * DAY).map(
      ({ checkedAt, verdict }) => ({ checkedAt: iso(Date.parse(checkedAt)), verdict }),
    );
    const asked = site.checks.table
      .history(domain, form.MAX_PAGE)
      .map(({ id, askedAt }) => ({ id, checkedAt: iso(askedAt) }));
    if (watched.length + asked.length === 0 && !own.knows(domain))
      return problemResponse('web-page-unknown');
    const items = [...watched, ...asked].sort((left, right) =>
      right.checkedAt.localeCompare(left.checkedAt),
    );
    return context.json({ items: items.slice(0, form.MAX_PAGE) }, 200);
  });
  app.openapi(readPublished, (context) => {
    const { domain } = context.req.valid('param');
    if (!own.knows(domain)) return problemResponse('web-page-unknown');
    const { ledger } = own;
    const served = ledger.domain(domain).served.map(({ id, mode, maxAge, first }) => ({
      id,
      mode,
      maxAge,
      first: iso(first),
    }));
    const failures = ledger.failures({ kind: 'domain', name: domain }).map(failedAction);
    const notes = ledger
      .notes(MAX_NOTES)
      .filter(({ subject }) => subject === domain)
      .map(({ at, says }) => ({ at: iso(at), says }));
    return context.json({ domain, body: ledger.body(domain), served, failures, notes }, 200);
  });
  app.openapi(readPlan, async (context) => {
    const { domain } = context.req.valid('param');
    const { isWhole } = context.get('actor').reach;
    const found = planFor(await plans.read(domain, PLAN_WAIT), isWhole);
    if (!found.ok)
      return problemResponse(found.code, statusOf(found.code) === 503 ? PLAN_RETRY : undefined);
    return context.json(planDocument(domain, found.plan), 200);
  });
  app.openapi(mute, async (context) => {
    const { domain } = context.req.valid('param');
    const { until } = context.req.valid('json');
    const now = clock.now();
    const at = Date.parse(until);
    if (!(at > now && at <= now + MAX_MUTE_DAYS * DAY)) return problemResponse('web-mute-invalid');
    if (!own.knows(domain)) return problemResponse('web-page-unknown');
    await site.mute(context, domain, at);
    return context.json({ until: iso(at) }, 200);
  });
  app.openapi(unmute, async (context) => {
    const { domain } = context.req.valid('param');
    if (!own.knows(domain)) return problemResponse('web-page-unknown');
    await site.mute(context, domain, 0);
    return context.body(null, 204);
  });
  app.openapi(listAlerts, (context) => {
    const { limit, after } = context.req.valid('query');
    const position = after === undefined ? undefined : positionOf(after);
    if (after !== undefined && position === undefined) return problemResponse('web-cursor-invalid');
    const muted = mutedDomains(store, clock.now());
    const all = listAlarms(store, MAX_ALARMS, covers(context));
    const start = all.findIndex(({ id }) => id === position) + 1;
    const item = ({ id, domain, kind, rule, says, todo, at, waiting }: (typeof all)[number]) => {
      const until = muted.get(domain);
      const mutedUntil = until === undefined ? undefined : iso(until);
      return {
        id,
        domain,
        kind,
        rule,
        says,
        steps: [...todo],
        at: iso(at),
        waiting: [...waiting],
        mutedUntil,
      };
    };
    return context.json(pageOf(all.slice(start), limit, { position: ({ id }) => id, item }), 200);
  });
  app.openapi(listCustomers, async (context) => {
    const domains = await domainsOf(context);
    const items = customersOf(context.get('actor'), site.settings.customers, domains);
    return context.json(
      {
        items: items.map(({ name, configured, known }) => ({
          name,
          domains: [...configured],
          severity: severityNames[Math.max(0, ...known.map(urgencyOf)) as 0],
          failing: known.filter((domain) => urgencyOf(domain) === 3).length,
        })),
      },
      200,
    );
  });
  app.openapi(listReporterRows, async (context) => {
    const { limit } = context.req.valid('query');
    return context.json({ items: [...(await own.reporters(limit))] }, 200);
  });
  app.openapi(listReportRows, (context) => {
    const { limit, after, only } = context.req.valid('query');
    const position = after === undefined ? undefined : positionOf(after);
    const before = position === undefined ? undefined : Number(position);
    if (after !== undefined && !Number.isSafeInteger(before))
      return problemResponse('web-cursor-invalid');
    const found = listReports(store, { only, before, limit: limit + 1 });
    return context.json(pageOf(found, limit, { position: ({ id }) => id, item: reportOf }), 200);
  });
  app.openapi(readReportRow, (context) => {
    const { id } = context.req.valid('param');
    const report = /^\d{1,15}$/.test(id) ? readReport(store, Number(id)) : undefined;
    if (!report) return problemResponse('web-page-unknown');
    const { text, notes } = report;
    return context.json({ ...reportOf(report), text, notes: [...notes] }, 200);
  });
  app.openapi(listSending, (context) => {
    const items = own.cachedPolicies(clock.now()).map(({ domain, policy, failed }) => ({
      domain,
      mode: policy?.mode,
      mx: [...(policy?.mx ?? [])],
      fetchedAt: policy && iso(policy.fetchedAt),
      failedFetches: failed?.count ?? 0,
      failure: failed?.failure.code,
    }));
    return context.json({ items }, 200);
  });
}

function failingOf({
  failed,
  successful,
  since,
  last,
  ongoing,
}: NonNullable<OwnDomain['failing']>) {
  return { failed, successful, since, last, ongoing };
}

function planDocument(domain: string, { observedAt, subjects }: ObservedPlan) {
  return {
    domain,
    observedAt: iso(observedAt),
    subjects: subjects.map(({ steps, waits, failures, proposals, alerts, ...subject }) => ({
      ...subject,
      steps: steps.map(({ changes, ...step }) => ({ ...step, changes: [...changes] })),
      waits: waits.map(({ why, until }) => ({ why, until: optionalTime(until) })),
      proposals: [...proposals],
      alerts: [...alerts],
      failures: failures.map(({ at, retryAt, ...failure }) => ({
        ...failure,
        at: iso(at),
        retryAt: optionalTime(retryAt),
      })),
    })),
  };
}

function failedAction({ says, at, code, detail }: FailedAction) {
  return { action: says, at: iso(at), code, detail };
}

function reportOf({
  id,
  reporter,
  day,
  receivedAt,
  via,
  trust,
  trustDetail,
  counted,
  hasNotes,
}: ListedReport) {
  return {
    id: String(id),
    reporter,
    day,
    receivedAt: iso(receivedAt),
    via,
    trust,
    trustDetail,
    counted,
    hasNotes,
  };
}
