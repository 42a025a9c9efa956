import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { sentenceOf } from '../failures.js';
import { scansPage, statisticsPage, titleOf } from '../pages/statistics-pages.js';
import { problemPage } from '../pages/text-pages.js';
import type {
  FinishedScan,
  ScanNumbers,
  StatisticsSource,
} from '../statistics/statistics-source.js';
import { problem } from './api-schemas.js';
import { problemResponse, statusOf } from './problem.js';
import type { AppEnv } from './request-guards.js';
import type { SiteResources } from './site.js';

type Fault = 'web-statistics-absent' | 'web-statistics-unknown' | 'web-statistics-away';

/** The Cache-Control field for pages of a finished scan, which does not change. */
const CACHED = 'public, max-age=300';

/**
 * Adds the pages with the statistics of finished scans. Without a database of scans a
 * page explains why there are no statistics.
 */
export function addStatisticsPages(app: OpenAPIHono<AppEnv>, site: SiteResources): void {
  const show = (request: Context<AppEnv>, code: Fault) => {
    const main = problemPage('No statistics', sentenceOf(code));
    return site.page(request, { title: 'No statistics', main }, statusOf(code));
  };
  app.get('/statistics', async (request) => {
    const scans = await answer(site, (source) => source.scans());
    if (typeof scans === 'string') return show(request, scans);
    return site.page(request, {
      title: 'Statistics',
      main: scansPage(scans),
      section: '/statistics',
    });
  });
  app.get('/statistics/:scan{[0-9]{1,9}}/:page', async (request) => {
    const { scan, page } = request.req.param();
    const numbers = await answer(site, (source) => source.numbers(Number(scan)));
    if (typeof numbers === 'string') return show(request, numbers);
    const main = statisticsPage(numbers, page);
    if (!main) return show(request, 'web-statistics-unknown');
    request.header('cache-control', CACHED);
    return site.page(request, { title: titleOf(page), main, section: '/statistics' });
  });
}

/**
 * Returns the answer of the statistics source, or the code of the reason why there is no
 * answer.
 */
async function answer<T>(
  { context }: SiteResources,
  ask: (source: StatisticsSource) => Promise<T | undefined>,
): Promise<T | Fault> {
  const { statistics, log } = context;
  if (!statistics) return 'web-statistics-absent';
  try {
    return (await ask(statistics)) ?? 'web-statistics-unknown';
  } catch (error) {
    log.error('web-statistics-away', { error: (error as Error).message });
    return 'web-statistics-away';
  }
}

const time = z.iso.datetime();
const whole = z.int().min(0);

const scanDocument = z
  .strictObject({
    id: whole,
    list: z.string(),
    citedAs: z.string(),
    domains: whole,
    startedAt: time,
    finishedAt: time,
  })
  .openapi('FinishedScan');

const unitCount = z
  .strictObject({
    n: whole.openapi({ description: 'Units with the property.' }),
    of: whole.openapi({ description: 'Units whose answer is known.' }),
    unknown: whole.openapi({ description: 'Units whose answer is unknown; in neither number.' }),
  })
  .openapi('UnitCount');

const numbersDocument = z
  .strictObject({
    scan: scanDocument,
    pages: z.array(
      z.strictObject({
        name: z.string(),
        numbers: z.array(
          z.strictObject({
            id: z.string(),
            says: z.string().openapi({ description: 'The property of the counted domains.' }),
            of: z
              .string()
              .openapi({ description: 'The group of domains of which the number is a share.' }),
            domains: unitCount,
            mailHosts: unitCount,
            operators: unitCount,
          }),
        ),
      }),
    ),
    operators: z.array(z.strictObject({ name: z.string(), domains: whole })),
    method: z
      .strictObject({
        visited: whole,
        inferred: whole,
        unreached: whole,
        optedOut: whole,
        checked: whole,
        wrong: whole,
        errorAtMost: z.number(),
      })
      .optional(),
  })
  .openapi('ScanNumbers');

function refusal(description: string): object {
  return { description, content: { 'application/problem+json': { schema: problem } } };
}

const faults = {
  404: refusal('No finished scan has these statistics.'),
  503: refusal('The database of the scans cannot be read.'),
};

const listScans = createRoute({
  method: 'get',
  path: '/api/v1/statistics',
  summary: 'List the finished scans',
  description: 'Returns the finished scans, newest first.',
  responses: {
    200: {
      description: 'The scans.',
      content: {
        'application/json': { schema: z.strictObject({ scans: z.array(scanDocument) }) },
      },
    },
    ...faults,
  },
});

const readNumbers = createRoute({
  method: 'get',
  path: '/api/v1/statistics/{scan}',
  summary: 'Read the statistics of a scan',
  description: 'Returns every number with its definition, base and unknown share, and the method.',
  request: { params: z.object({ scan: z.string().regex(/^[0-9]{1,9}$/) }) },
  responses: {
    200: {
      description: 'The statistics.',
      content: { 'application/json': { schema: numbersDocument } },
    },
    ...faults,
  },
});

/** Adds the API of the public statistics. */
export function addStatisticsApi(app: OpenAPIHono<AppEnv>, site: SiteResources): void {
  app.openapi(listScans, async (request) => {
    const scans = await answer(site, (source) => source.scans());
    if (typeof scans === 'string') return problemResponse(scans);
    return request.json({ scans: scans.map(scanJson) }, 200);
  });
  app.openapi(readNumbers, async (request) => {
    const id = Number(request.req.valid('param').scan);
    const numbers = await answer(site, (source) => source.numbers(id));
    if (typeof numbers === 'string') return problemResponse(numbers);
    request.header('cache-control', CACHED);
    return request.json(numbersJson(numbers), 200);
  });
}

function scanJson(scan: FinishedScan): z.output<typeof scanDocument> {
  const { startedAt, finishedAt } = scan;
  return {
    ...scan,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
  };
}

function numbersJson({ scan, pages, operators, method }: ScanNumbers) {
  return {
    scan: scanJson(scan),
    pages: pages.map(({ name, numbers }) => ({ name, numbers: [...numbers] })),
    operators: [...operators],
    method,
  } satisfies z.output<typeof numbersDocument>;
}
