import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { parseDomain } from '../../base/index.js';
import { findProfile } from '../../check/index.js';
import { jsonSchemas } from '../../evidence/index.js';
import { senderSchemas } from '../../sender/index.js';
import { reportSchemas } from '../../tls-rpt-receive/index.js';
import type { CheckStatus } from '../checks/check-service.js';
import type { OpenApiDocument } from '../pages/api-page.js';
import type { SiteResources } from './site.js';
import {
  checkDocument,
  checkParameters,
  checkRequest,
  evidence,
  problem,
  profileQuery,
  type CheckDocument,
} from './api-schemas.js';
import { REVALIDATED } from './conditional.js';
import { eventStream, isFinished } from './check-streams.js';
import { problemResponse } from './problem.js';
import { withQuota } from './rate-limit.js';
import { clientOf, isCrossSite, type AppEnv } from './request-guards.js';

/** Returns the description of a refusal for the OpenAPI document. */
function refusal(description: string): object {
  return { description, content: { 'application/problem+json': { schema: problem } } };
}

const document = { 'application/json': { schema: checkDocument } };

const createCheck = createRoute({
  method: 'post',
  path: '/api/v1/checks',
  summary: 'Check a domain',
  description:
    'Returns a finished or running check of the domain, or starts one. A check takes between five seconds and two minutes.',
  request: { body: { required: true, content: { 'application/json': { schema: checkRequest } } } },
  responses: {
    200: { description: 'A finished check that is recent enough.', content: document },
    202: {
      description: 'A check that is queued or running; Location names it.',
      content: document,
    },
    400: refusal('The body does not have the described form.'),
    403: refusal('The request came from a page of another site.'),
    422: refusal('The text is not a domain name.'),
    429: refusal('A limit is reached; Retry-After gives the seconds to wait.'),
    503: refusal(
      'The queue is full, or the daemon cannot save checks; Retry-After gives the seconds to wait.',
    ),
  },
});

const notModified = { description: 'The client already has the current answer (If-None-Match).' };

const readCheck = createRoute({
  method: 'get',
  path: '/api/v1/checks/{id}',
  summary: 'Read a check',
  description: 'Returns the state of a check, and its result once it is done.',
  request: { params: checkParameters, query: profileQuery },
  responses: {
    200: { description: 'The check.', content: document },
    304: notModified,
    400: refusal('No profile has this name.'),
    404: refusal('No check has this id.'),
  },
});

const readEvents = createRoute({
  method: 'get',
  path: '/api/v1/checks/{id}/events',
  summary: 'Follow a check',
  description:
    'Server-sent events: progress with one fact each, and done at the end. Last-Event-ID resumes a stream, even shortly after its end.',
  request: { params: checkParameters },
  responses: {
    200: { description: 'The stream.', content: { 'text/event-stream': { schema: {} } } },
    404: refusal('No check has this id.'),
  },
});

const readEvidence = createRoute({
  method: 'get',
  path: '/api/v1/checks/{id}/evidence',
  summary: 'Read the evidence of a check',
  description: 'Returns a document hermetic.evidence/1, which the command hermetic grade reads.',
  request: { params: checkParameters },
  responses: {
    200: { description: 'The evidence.', content: { 'application/json': { schema: evidence } } },
    304: notModified,
    404: refusal('No check has this id.'),
    409: refusal('The check has not finished yet.'),
  },
});

/** Adds the public API of checks. */
export function addApiRoutes(app: OpenAPIHono<AppEnv>, site: SiteResources): void {
  const { checks, settings } = site;
  app.openapi(createCheck, async (context) => {
    if (isCrossSite(context.req.raw.headers, context.req.url))
      return problemResponse('web-foreign-form');
    const { domain: typed, maxAgeSeconds, again } = context.req.valid('json');
    const domain = parseDomain(typed);
    if (!domain.ok) return problemResponse('web-domain-invalid');
    const { isOperator } = context.env;
    const client = clientOf(context, settings.proxies);
    const limited = (response: Response): Response => {
      const { remaining, resetMs } = checks.quotaOf(client);
      const seconds = Math.ceil(resetMs / 1000);
      const limit = settings.limits.perClient;
      return withQuota(response, {
        policy: 'client',
        limit,
        remaining,
        seconds,
        windowSeconds: 3600,
      });
    };
    const maxAgeMs = maxAgeSeconds === undefined ? undefined : maxAgeSeconds * 1000;
    const request = { domain: domain.value, client, again, maxAgeMs, isOperator };
    const admission = await checks.ask(request);
    if (!admission.ok)
      return limited(problemResponse(admission.code, admission.retrySeconds || undefined));
    const { id } = admission;
    const status = checks.status(id);
    if (!status) return problemResponse('web-check-unknown');
    context.header('location', `/api/v1/checks/${id}`);
    return limited(context.json(documentOf(site, status), isFinished(status) ? 200 : 202));
  });
  app.openapi(readCheck, (context) => {
    const status = checks.status(context.req.valid('param').id);
    if (!status) return problemResponse('web-check-unknown');
    const { profile = 'baseline' } = context.req.valid('query');
    if (!findProfile(profile))
      return problemResponse(
        'web-request-invalid',
        undefined,
        'The daemon does not know the profile.',
      );
    if (isFinished(status)) context.header('cache-control', REVALIDATED);
    return context.json(documentOf(site, status, profile), 200);
  });
  app.openapi(readEvents, (context) => {
    const { id } = context.req.valid('param');
    if (!checks.status(id)) return problemResponse('web-check-unknown');
    const last = Number(context.req.header('last-event-id') ?? 0);
    return eventStream(checks, id, Number.isSafeInteger(last) && last > 0 ? last : 0);
  });
  app.openapi(readEvidence, (context) => {
    const { id } = context.req.valid('param');
    const status = checks.status(id);
    if (!status) return problemResponse('web-check-unknown');
    const saved = checks.evidence(id);
    if (!saved) return problemResponse('web-check-unfinished');
    context.header('cache-control', REVALIDATED);
    return context.json(saved as never, 200);
  });
}

function documentOf(site: SiteResources, status: CheckStatus, profile?: string): CheckDocument {
  const { id, domain, state, position, previous, failure, askedAt, finishedAt } = status;
  const result = state === 'done' ? site.checks.result(id, profile) : undefined;
  return {
    id,
    domain,
    state,
    position,
    askedAt: new Date(askedAt).toISOString(),
    finishedAt: finishedAt === undefined ? undefined : new Date(finishedAt).toISOString(),
    previous,
    failure,
    events: [...status.events],
    result: result as CheckDocument['result'],
    url: `/check/${id}`,
  };
}

/**
 * Returns the OpenAPI document, in which the published schemas replace the short ones.
 */
export function openApiDocument(app: OpenAPIHono<AppEnv>, version: string): OpenApiDocument {
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token of the page Tokens.',
  });
  const description = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Hermetic',
      version,
      description: 'Checks how well the mail of a domain is protected between servers.',
      license: { name: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
  }) as unknown as OpenApiDocument;
  const replaced = {
    CheckResult: publishedSchema(jsonSchemas(), 'hermetic.check-1'),
    Evidence: publishedSchema(jsonSchemas(), 'hermetic.evidence-1'),
    SenderTestResult: publishedSchema(senderSchemas(), 'hermetic.sender-1'),
    ReportView: publishedSchema(reportSchemas(), 'hermetic.report-view-1'),
  };
  const schemas = { ...description.components.schemas, ...replaced };
  return { ...description, components: { ...description.components, schemas } };
}

/** Returns the definition inside a published JSON Schema. */
function publishedSchema(schemas: Readonly<Record<string, object>>, name: string): object {
  const { $defs } = schemas[`${name}.json`] as { readonly $defs: Readonly<Record<string, object>> };
  return $defs[name] ?? {};
}
