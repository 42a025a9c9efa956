import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { Slot } from '../../sender/index.js';
import type { SenderTests } from '../sender/sender-tests.js';
import { problem } from './api-schemas.js';
import { problemResponse } from './problem.js';
import { clientOf, isCrossSite, type AppEnv } from './request-guards.js';
import type { SiteResources } from './site.js';

const time = z.iso.datetime();

const testDocument = z
  .strictObject({
    id: z.string().openapi({ description: 'Secret: it gives access to the results.' }),
    slot: z.string().openapi({ description: 'The label in the names of the test.' }),
    state: z.enum(['preparing', 'open', 'ended']),
    lentAt: time,
    endsAt: time,
    problem: z
      .string()
      .optional()
      .openapi({ description: 'The reason why the CA issued no certificate.' }),
    addresses: z.array(
      z.strictObject({ case: z.string(), address: z.string(), quick: z.boolean() }),
    ),
    closed: z.array(
      z.strictObject({ case: z.string(), lacks: z.enum(['ipv4', 'ipv6', 'public-ca']) }),
    ),
    result: z.looseObject({}).openapi('SenderTestResult'),
    url: z.string().openapi({ description: 'Path of the human-readable page.' }),
  })
  .openapi('SenderTest');

function refusal(description: string): object {
  return { description, content: { 'application/problem+json': { schema: problem } } };
}

const document = { 'application/json': { schema: testDocument } };

const createTest = createRoute({
  method: 'post',
  path: '/api/v1/sender-tests',
  summary: 'Start a test of a sender',
  description:
    'Allocates a slot: addresses of mail hosts with deliberate faults. Send a mail to each address from the server to test.',
  responses: {
    201: { description: 'The new test; Location names it.', content: document },
    403: refusal('The request came from a page of another site.'),
    404: refusal('This installation has no sender test.'),
    429: refusal('A limit is reached; Retry-After gives the seconds to wait.'),
    503: refusal('All slots are allocated; Retry-After gives the seconds to wait.'),
  },
});

const readTest = createRoute({
  method: 'get',
  path: '/api/v1/sender-tests/{id}',
  summary: 'Read a test of a sender',
  description: 'Returns the state of a test with its result so far, a document hermetic.sender/1.',
  request: { params: z.object({ id: z.string().min(1).max(64) }) },
  responses: {
    200: { description: 'The test.', content: document },
    404: refusal('No test has this id.'),
  },
});

/** Adds the API of the public sender test. */
export function addSenderApi(app: OpenAPIHono<AppEnv>, site: SiteResources): void {
  const { senderTests, settings } = site;
  app.openapi(createTest, async (context) => {
    if (!senderTests) return problemResponse('sender-test-absent');
    if (isCrossSite(context.req.raw.headers, context.req.url))
      return problemResponse('web-foreign-form');
    const allocated = await senderTests.start(clientOf(context, settings.proxies));
    if (!allocated.ok) {
      const seconds = Math.ceil((allocated.freeAt - site.context.clock.now()) / 1000);
      return problemResponse(allocated.code, Math.max(1, seconds));
    }
    context.header('location', `/api/v1/sender-tests/${allocated.slot.id}`);
    return context.json(documentOf(senderTests, allocated.slot), 201);
  });
  app.openapi(readTest, (context) => {
    if (!senderTests) return problemResponse('sender-test-absent');
    const slot = senderTests.find(context.req.valid('param').id);
    if (!slot) return problemResponse('sender-slot-unknown');
    return context.json(documentOf(senderTests, slot), 200);
  });
}

function documentOf(tests: SenderTests, slot: Slot): z.output<typeof testDocument> {
  const { hasEnded, cases, closed, result } = tests.view(slot);
  const { id, lentAt, endsAt, readyAt, problem: fault } = slot;
  const open = readyAt === undefined ? 'preparing' : 'open';
  return {
    id,
    slot: slot.slot,
    state: hasEnded ? 'ended' : open,
    lentAt: new Date(lentAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    problem: fault,
    addresses: cases.map(({ senderCase, address }) => ({
      case: senderCase.id,
      address,
      quick: senderCase.quick === true,
    })),
    closed: closed.map(({ senderCase, lacks }) => ({ case: senderCase.id, lacks })),
    result: { ...result },
    url: `/sender/${id}`,
  };
}
