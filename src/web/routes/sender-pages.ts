import type { Context, Hono } from 'hono';
import type { Slot } from '../../sender/index.js';
import { sentenceOf } from '../failures.js';
import {
  senderHomePage,
  senderLine,
  senderTestRows,
  senderTestPage,
} from '../pages/sender-pages.js';
import { problemPage } from '../pages/text-pages.js';
import type { SenderTests } from '../sender/sender-tests.js';
import { eventResponse } from './event-stream.js';
import { statusOf } from './problem.js';
import { clientOf, isCrossSite, type AppEnv } from './request-guards.js';
import type { SiteResources } from './site.js';

type Handled = Context<AppEnv>;
type Answer = Response | Promise<Response>;

/** Seconds after which a browser without scripts loads the page of an open test again. */
const REFRESH_SECONDS = 5;
const noIndex = { 'x-robots-tag': 'noindex' };

/**
 * Adds the pages of the public sender test. Without the section `senderTest` they state
 * that there is no test.
 */
export function addSenderPages(app: Hono<AppEnv>, site: SiteResources): void {
  const { senderTests } = site;
  const withTests = (serve: (context: Handled, tests: SenderTests) => Answer) => {
    return (context: Handled): Answer =>
      senderTests ? serve(context, senderTests) : showProblem(context, site, 'sender-test-absent');
  };
  const withSlot = (serve: (context: Handled, tests: SenderTests, slot: Slot) => Answer) =>
    withTests((context, tests) => {
      const slot = tests.find(context.req.param('id') ?? '');
      return slot ? serve(context, tests, slot) : showProblem(context, site, 'sender-slot-unknown');
    });
  /** Returns a handler that refuses the forms of other sites. */
  const form = (serve: Parameters<typeof withSlot>[0]) =>
    withSlot((context, tests, slot) =>
      isCrossSite(context.req.raw.headers, context.req.url)
        ? showProblem(context, site, 'web-foreign-form')
        : serve(context, tests, slot),
    );
  app.get(
    '/sender',
    withTests((context, { settings }) =>
      site.page(context, {
        title: 'Test your sender',
        main: senderHomePage(settings),
        section: '/sender',
      }),
    ),
  );
  app.post(
    '/sender',
    withTests((context, tests) => startTest(context, site, tests)),
  );
  app.get(
    '/sender/:id',
    withSlot((context, tests, slot) => showTest(context, site, tests, slot)),
  );
  app.get(
    '/sender/:id/events',
    withSlot((_context, tests, { id }) => testStream(site, tests, id)),
  );
  app.get(
    '/sender/:id/result.json',
    withSlot((_context, tests, slot) =>
      Response.json(tests.view(slot).result, {
        headers: {
          'content-disposition': `attachment; filename="sender-${slot.slot}.json"`,
          ...noIndex,
        },
      }),
    ),
  );
  app.post(
    '/sender/:id/sent',
    form(async (context, tests, slot) => {
      const body = await context.req.parseBody().catch(() => undefined);
      await tests.markSent(slot, body?.['set'] === 'all' ? 'all' : 'quick');
      return context.redirect(`/sender/${slot.id}`, 303);
    }),
  );
  app.post(
    '/sender/:id/withdraw',
    form(async (context, tests, slot) => {
      await tests.withdraw(slot);
      return context.redirect(`/sender/${slot.id}`, 303);
    }),
  );
}

async function startTest(
  context: Handled,
  site: SiteResources,
  tests: SenderTests,
): Promise<Response> {
  if (isCrossSite(context.req.raw.headers, context.req.url))
    return showProblem(context, site, 'web-foreign-form');
  const allocated = await tests.start(clientOf(context, site.settings.proxies));
  if (allocated.ok) return context.redirect(`/sender/${allocated.slot.id}`, 303);
  const seconds = Math.max(1, Math.ceil((allocated.freeAt - site.context.clock.now()) / 1000));
  context.header('retry-after', String(seconds));
  return showProblem(context, site, allocated.code);
}

function showTest(context: Handled, site: SiteResources, tests: SenderTests, slot: Slot): Answer {
  const view = tests.view(slot);
  for (const [name, value] of Object.entries(noIndex)) context.header(name, value);
  return site.page(context, {
    title: 'Sender test',
    main: senderTestPage(view),
    section: '/sender',
    refresh: view.hasEnded ? undefined : REFRESH_SECONDS,
  });
}

/**
 * Returns the stream for a page: all results as HTML after every change, finally the
 * event `done`.
 */
function testStream(site: SiteResources, tests: SenderTests, id: string): Response {
  let sent = -1;
  let ended = false;
  return eventResponse(async (signal) => {
    if (ended) return 'end';
    if (tests.find(id)?.revision === sent) await tests.changed(id, sent, signal);
    const slot = tests.find(id);
    if (!slot) return 'end';
    const view = tests.view(slot);
    if (view.hasEnded) {
      ended = true;
      return { event: 'done', data: `/sender/${id}` };
    }
    if (slot.revision === sent) return 'idle';
    sent = slot.revision;
    const data = { html: senderTestRows(view).text, says: senderLine(view) };
    return { event: 'progress', data: JSON.stringify(data) };
  }, site.checks.signal);
}

async function showProblem(context: Handled, site: SiteResources, code: string): Promise<Response> {
  const title = statusOf(code) === 404 ? 'Not found' : 'Not started';
  const main = problemPage(title, sentenceOf(code));
  return site.page(context, { title, main }, statusOf(code));
}
