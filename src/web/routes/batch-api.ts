import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { BatchService } from '../checks/batch-service.js';
import type { Batch, BatchItem } from '../checks/batch-table.js';
import { cursorOf, pageOf, positionOf } from './cursor.js';
import { eventResponse, type StreamEvent } from './event-stream.js';
import * as form from './operator-schemas.js';
import { problemResponse } from './problem.js';
import type { AppEnv } from './request-guards.js';
import { BATCHES_PATH } from '../settings.js';
import { ownerOf } from './token-pages.js';
import type { SiteResources } from './site.js';

/**
 * Milliseconds without a result after which the server sends a comment to keep the
 * connection open.
 */
const IDLE_MS = 15_000;

const create = createRoute({
  method: 'post',
  ...form.byToken,
  path: BATCHES_PATH,
  summary: 'Check many domains',
  description: 'The checks run with low priority. Finished results can be read at any time.',
  request: { headers: form.requestKey, body: form.body(form.batchRequest) },
  responses: {
    200: form.json(form.batchDocument, 'The batch of an earlier request with this key.'),
    202: form.json(form.batchDocument, 'The batch; Location names it.'),
    ...form.refusals(409, 422),
  },
});
const read = createRoute({
  ...form.readByToken,
  path: '/api/v1/batches/{id}',
  summary: 'Read a batch',
  description: 'The state of a batch, with the number of finished domains.',
  request: { params: form.idPath },
  responses: { 200: form.json(form.batchDocument, 'The batch.'), ...form.refusals() },
});
const results = createRoute({
  ...form.readByToken,
  path: '/api/v1/batches/{id}/results',
  summary: 'Read the results of a batch',
  description:
    'Results in the order of completion. While the batch runs, the last page has a cursor too.',
  request: { params: form.idPath, query: form.pageQuery },
  responses: form.page('BatchItems', form.batchItem, 'The results so far.'),
});
const events = createRoute({
  ...form.readByToken,
  path: '/api/v1/batches/{id}/events',
  summary: 'Follow a batch',
  description:
    'Server-sent events: result with one domain each, and done at the end. Last-Event-ID resumes a stream.',
  request: { params: form.idPath },
  responses: {
    200: { description: 'The stream.', content: { 'text/event-stream': { schema: {} } } },
    ...form.refusals(),
  },
});
const cancel = createRoute({
  method: 'delete',
  ...form.byToken,
  path: '/api/v1/batches/{id}',
  summary: 'Cancel a batch',
  description: 'The daemon does not check the remaining domains. Results stay.',
  request: { params: form.idPath },
  responses: { 204: { description: 'The batch is cancelled.' }, ...form.refusals() },
});

/** Adds the API for batches of domains. An account can read only its own batches. */
export function addBatchApi(
  app: OpenAPIHono<AppEnv>,
  site: SiteResources,
  batches: BatchService,
): void {
  const find = (context: Context<AppEnv>, id: string): Batch | undefined =>
    batches.find(id, accountOf(context));
  const item = ({ place, domain, check, failure }: BatchItem) => ({
    place: place ?? 0,
    domain,
    check,
    failure,
    verdict: check === undefined ? undefined : site.checks.result(check)?.verdict,
  });
  app.openapi(create, async (context) => {
    const { name, domains } = context.req.valid('json');
    const requestKey = context.req.valid('header')['idempotency-key'];
    const owner = accountOf(context);
    const admission = await batches.create({ owner, name, domains, requestKey });
    if (!admission.ok) return problemResponse(admission.code);
    const batch = find(context, admission.id);
    if (!batch) return problemResponse('web-page-unknown');
    context.header('location', `/api/v1/batches/${batch.id}`);
    return context.json(documentOf(batch), admission.isNew ? 202 : 200);
  });
  app.openapi(read, (context) => {
    const batch = find(context, context.req.valid('param').id);
    return batch ? context.json(documentOf(batch), 200) : problemResponse('web-page-unknown');
  });
  app.openapi(results, (context) => {
    const { limit, after } = context.req.valid('query');
    const place = after === undefined ? 0 : Number(positionOf(after));
    if (!Number.isSafeInteger(place)) return problemResponse('web-cursor-invalid');
    const batch = find(context, context.req.valid('param').id);
    if (!batch) return problemResponse('web-page-unknown');
    const found = batches.results(batch.id, place, limit + 1);
    const page = pageOf(found, limit, { position: (last) => last.place ?? 0, item });
    const last = page.items.at(-1)?.place ?? place;
    const next = page.next ?? (batch.state === 'running' ? cursorOf(last) : undefined);
    return context.json({ items: [...page.items], next }, 200);
  });
  app.openapi(events, (context) => {
    const batch = find(context, context.req.valid('param').id);
    if (!batch) return problemResponse('web-page-unknown');
    let place = Math.max(0, Number(context.req.header('last-event-id')) || 0);
    let isEnded = false;
    const next = async (signal: AbortSignal): Promise<StreamEvent | 'idle' | 'end'> => {
      if (isEnded) return 'end';
      let [found] = batches.results(batch.id, place, 1);
      if (!found && find(context, batch.id)?.state === 'running') {
        await batches.changed(IDLE_MS, signal);
        [found] = batches.results(batch.id, place, 1);
      }
      if (found) {
        place = found.place ?? place;
        return { event: 'result', data: JSON.stringify(item(found)), id: String(place) };
      }
      const present = find(context, batch.id);
      if (present?.state === 'running') return 'idle';
      isEnded = true;
      return { event: 'done', data: JSON.stringify(present ? documentOf(present) : {}) };
    };
    return eventResponse(next, site.checks.signal);
  });
  app.openapi(cancel, async (context) => {
    const batch = find(context, context.req.valid('param').id);
    if (!batch) return problemResponse('web-page-unknown');
    await batches.cancel(batch.id);
    return context.body(null, 204);
  });
}

/**
 * Returns the account to which a batch belongs, with its way of sign-in: accounts with
 * different ways may have the same name.
 */
function accountOf(context: Context<AppEnv>): string {
  const { name, way } = ownerOf(context.get('actor'));
  return `${way} ${name}`;
}

function documentOf({ id, name, state, createdAt, total, finished }: Batch) {
  return { id, name, state, createdAt: new Date(createdAt).toISOString(), total, finished };
}
