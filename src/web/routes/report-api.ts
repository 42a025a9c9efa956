import { createHash } from 'node:crypto';
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { bodyIntake, type Receipt } from '../../tls-rpt-receive/index.js';
import { RequestKeys } from '../access/request-keys.js';
import * as form from './operator-schemas.js';
import { problemResponse } from './problem.js';
import { clientOf, type AppEnv } from './request-guards.js';
import { ownerOf } from './token-pages.js';
import { sentenceOf } from '../failures.js';
import { REPORTS_PATH } from '../settings.js';
import type { SiteResources } from './site.js';

/** Seconds after which a client should send a report again. */
const RETRY_SECONDS = 600;

const handIn = createRoute({
  method: 'post',
  ...form.byToken,
  path: REPORTS_PATH,
  summary: 'Submit a report',
  description:
    'A report as JSON, as gzip, or in the mail that carried it. The daemon ignores the media type and applies the rules of the HTTPS intake. A DKIM signature authenticates a mail. Other bodies are stored as posted.',
  request: { headers: form.reportReference, body: form.reportBody },
  responses: {
    200: form.json(form.receivedReports, 'All reports were stored before.'),
    201: form.json(form.receivedReports, 'The reports are stored.'),
    ...form.refusals(409, 413, 503),
  },
});

/** Adds the API for reports that programs submit. */
export function addReportApi(app: OpenAPIHono<AppEnv>, site: SiteResources): void {
  const { reports: receiver, store, clock } = site.context;
  const keys = new RequestKeys(store);
  const intake = receiver && bodyIntake({ receiver });
  app.openapi(handIn, async (context) => {
    if (!receiver || !intake) return problemResponse('web-reports-absent');
    const peer = clientOf(context, site.settings.proxies);
    const requestKey = context.req.valid('header')['idempotency-key'];
    const { name, way } = ownerOf(context.get('actor'));
    let isReused = false;
    const receive = async (bodyBytes: Uint8Array): Promise<Receipt> => {
      const digest = createHash('sha256').update(bodyBytes).digest('hex');
      const request = { owner: `${way} ${name}`, requestKey, digest };
      isReused = !(await keys.claim(request, clock.now()));
      // A receipt cannot express a reused key, so this value is replaced by a problem
      // document below.
      if (isReused) return { status: 'later', why: 'store' };
      return receiver.receive(bodyBytes, { via: 'https', peer, name: 'body' });
    };
    const receipt = await intake(context.req.raw.body, peer, receive);
    if (isReused) return problemResponse('web-key-reused');
    switch (receipt.status) {
      case 'stored': {
        const refused = receipt.failures.map(({ code }) => ({
          code,
          message: sentenceOf(code).message,
        }));
        const isNew = receipt.reports.some(({ outcome }) => outcome !== 'repeated');
        return context.json({ reports: [...receipt.reports], refused }, isNew ? 201 : 200);
      }
      case 'refused':
        return problemResponse(receipt.failure.code);
      case 'later':
        return problemResponse('web-reports-later', RETRY_SECONDS);
    }
  });
}
