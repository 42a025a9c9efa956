import { z } from '@hono/zod-openapi';
import { roles, scopes } from '../roles.js';
import { problem } from './api-schemas.js';

/**
 * The schemas of the operator's API. `openapi.json` is generated from them, so that
 * description and validation cannot differ.
 */

export const timestamp = z.iso.datetime().openapi({ description: 'RFC 3339, UTC.' });
const severity = z
  .enum(['well', 'unknown', 'attention', 'failing'])
  .openapi({ description: 'How much the domain needs attention.' });

export const domainPathParameter = z.object({
  domain: z
    .string()
    .min(1)
    .max(253)
    .openapi({ param: { name: 'domain', in: 'path' }, example: 'example.com' }),
});

export const idPath = z.object({
  id: z
    .string()
    .min(1)
    .max(64)
    .openapi({ param: { name: 'id', in: 'path' } }),
});

export const namePath = z.object({
  name: z
    .string()
    .min(1)
    .max(64)
    .openapi({ param: { name: 'name', in: 'path' } }),
});

/** Maximum number of items on one page. */
export const MAX_PAGE = 100;

export const days = z.coerce.number().int().min(1).max(366).default(14).openapi({
  description: 'Days to look back.',
});

/** The query parameters that select a page of a list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50).openapi({
    description: 'Maximum number of items on the page.',
  }),
  after: z.string().max(500).optional().openapi({
    description: 'The field next of the previous page. Opaque.',
  }),
});

/** Returns the schema of a list with the cursor of the next page. */
function listOf<Item extends z.ZodType>(name: string, item: Item) {
  return z
    .strictObject({
      items: z.array(item),
      next: z.string().optional().openapi({ description: 'Absent on the last page.' }),
    })
    .openapi(name);
}

export const ownDomain = z
  .strictObject({
    domain: z.string(),
    severity,
    verdict: z.string().optional().openapi({ description: 'Verdict of the last watch.' }),
    openAlarms: z.int().min(0),
    mutedUntil: timestamp.optional(),
    publishedMode: z.string().optional(),
    failing: z
      .strictObject({
        failed: z.int(),
        successful: z.int(),
        since: z.string(),
        last: z.string(),
        ongoing: z.boolean(),
      })
      .optional(),
  })
  .openapi('OwnDomain');

/**
 * `hermetic.report-view/1`. The OpenAPI document contains the complete schema instead of
 * this short one.
 */
export const reportView = z
  .looseObject({ schema: z.literal('hermetic.report-view/1') })
  .openapi('ReportView');

export const checkEntry = z
  .strictObject({
    id: z.string().optional().openapi({ description: 'Absent for checks of the watch.' }),
    checkedAt: timestamp,
    verdict: z.string().optional(),
  })
  .openapi('CheckEntry');

export const publishedDomain = z
  .strictObject({
    domain: z.string(),
    body: z.string().optional().openapi({ description: 'The policy file that is served now.' }),
    served: z.array(
      z.strictObject({ id: z.string(), mode: z.string(), maxAge: z.int(), first: timestamp }),
    ),
    failures: z.array(
      z.strictObject({ action: z.string(), at: timestamp, code: z.string(), detail: z.string() }),
    ),
    notes: z.array(z.strictObject({ at: timestamp, says: z.string() })),
  })
  .openapi('PublishedDomain');

const planProblem = { code: z.string(), says: z.string(), fix: z.string() };
export const domainPlan = z
  .strictObject({
    domain: z.string(),
    observedAt: timestamp,
    subjects: z
      .array(
        z.strictObject({
          kind: z.enum(['domain', 'host']),
          subject: z.string(),
          state: z.string().openapi({ description: 'The current state in one line.' }),
          steps: z.array(
            z.strictObject({
              says: z.string(),
              because: z.string().openapi({ description: 'The reason why the step is safe now.' }),
              clause: z.string(),
              changes: z.array(
                z.strictObject({ change: z.enum(['remove', 'keep', 'add']), text: z.string() }),
              ),
            }),
          ),
          waits: z.array(z.strictObject({ why: z.string(), until: timestamp.optional() })),
          proposals: z.array(
            z.strictObject({ what: z.string(), why: z.string(), command: z.string() }),
          ),
          alerts: z.array(z.strictObject({ ...planProblem, subject: z.string() })),
          failures: z.array(
            z.strictObject({
              ...planProblem,
              action: z.string(),
              at: timestamp,
              retryAt: timestamp.optional(),
            }),
          ),
        }),
      )
      .openapi({ description: 'The domain, and its mail hosts for accounts of all domains.' }),
  })
  .openapi('DomainPlan');

export const alarm = z
  .strictObject({
    id: z.string(),
    domain: z.string(),
    kind: z.enum(['added', 'worse', 'ended']),
    rule: z.string(),
    says: z.string(),
    steps: z.array(z.string()),
    at: timestamp,
    waiting: z
      .array(z.string())
      .openapi({ description: 'Channels that have not accepted the alarm yet.' }),
    mutedUntil: timestamp.optional(),
  })
  .openapi('Alarm');

export const muteRequest = z
  .strictObject({
    until: timestamp.openapi({ description: 'At most 30 days from now.' }),
  })
  .openapi('MuteRequest');

export const customer = z
  .strictObject({
    name: z.string(),
    domains: z.array(z.string()),
    severity,
    failing: z.int().min(0),
  })
  .openapi('Customer');

export const reporter = z
  .strictObject({
    reporter: z.string(),
    reports: z.int(),
    first: z.string(),
    last: z.string(),
    authenticated: z.boolean(),
  })
  .openapi('Reporter');

const reportFields = {
  id: z.string(),
  reporter: z.string(),
  day: z.string().optional(),
  receivedAt: timestamp,
  via: z.string(),
  trust: z.string(),
  trustDetail: z.string(),
  counted: z.boolean(),
  hasNotes: z.boolean(),
};
export const listedReport = z.strictObject(reportFields).openapi('ListedReport');
export const reportDocument = z
  .strictObject({
    ...reportFields,
    text: z.string().optional().openapi({ description: 'The report as it arrived.' }),
    notes: z.array(z.strictObject({ code: z.string(), says: z.string() })),
  })
  .openapi('Report');
export const reportQuery = pageQuery.extend({
  only: z.enum(['uncounted', 'odd']).optional().openapi({
    description: 'Reports outside the sums, or reports that depart from RFC 8460.',
  }),
});

export const cachedPolicy = z
  .strictObject({
    domain: z.string(),
    mode: z.string().optional(),
    mx: z.array(z.string()),
    fetchedAt: timestamp.optional(),
    failedFetches: z.int().min(0),
    failure: z.string().optional(),
  })
  .openapi('CachedPolicy');

const customers = z
  .array(z.string().max(40))
  .max(1000)
  .optional()
  .openapi({ description: 'Absent: all domains.' });
export const user = z
  .strictObject({ name: z.string(), role: z.enum(roles), customers, createdAt: timestamp })
  .openapi('User');
export const userRequest = z
  .strictObject({
    name: z.string().max(64),
    password: z.string().max(512),
    role: z.enum(roles),
    customers,
  })
  .openapi('UserRequest');

const tokenFields = {
  id: z.string(),
  label: z.string(),
  owner: z.string(),
  role: z.enum(roles),
  customers,
  scopes: z.array(z.enum(scopes)),
  createdAt: timestamp,
  endsAt: timestamp,
  usedAt: timestamp.optional(),
};
export const token = z.strictObject(tokenFields).openapi('Token');
export const tokenRequest = z
  .strictObject({
    label: z.string().max(100),
    scopes: z.array(z.enum(scopes)).min(1),
    days: z.int().min(1).max(365).default(90),
  })
  .openapi('TokenRequest');
export const newToken = z
  .strictObject({
    secret: z
      .string()
      .openapi({ description: 'The secret of the token; no later answer contains it.' }),
  })
  .openapi('NewToken');

export const auditEntry = z
  .strictObject({
    id: z.string(),
    at: timestamp,
    actor: z.string(),
    way: z.string(),
    network: z.string(),
    action: z.string(),
    subject: z.string(),
    outcome: z.enum(['done', 'refused']),
  })
  .openapi('AuditEntry');

export const batchRequest = z
  .strictObject({
    name: z.string().max(100).default(''),
    domains: z.array(z.string().min(1).max(253)).min(1).max(5000),
  })
  .openapi('BatchRequest');
export const batchDocument = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    state: z.enum(['running', 'done', 'cancelled']),
    createdAt: timestamp,
    total: z.int(),
    finished: z.int(),
  })
  .openapi('Batch');
export const batchItem = z
  .strictObject({
    place: z.int().min(1),
    domain: z.string(),
    check: z.string().optional().openapi({ description: 'Id of the check.' }),
    verdict: z.string().optional(),
    failure: z
      .string()
      .optional()
      .openapi({ description: 'Code of the reason why there is no result.' }),
  })
  .openapi('BatchItem');
export const requestKey = z.object({
  'idempotency-key': z.string().min(1).max(200).optional().openapi({
    description: 'The same key and body return the same batch again.',
  }),
});

export const reportReference = z.object({
  'idempotency-key': z.string().min(1).max(200).optional().openapi({
    description: 'For 24 hours, a request with this key and another body fails with 409.',
  }),
});

/**
 * The body with a report in a form of RFC 8460: JSON, gzip, or the mail that contains it.
 */
export const reportBody = {
  required: true,
  content: {
    'application/octet-stream': { schema: z.any().openapi({ type: 'string', format: 'binary' }) },
  },
};
export const receivedReports = z
  .strictObject({
    reports: z.array(
      z.strictObject({
        reporter: z.string(),
        trust: z.string().openapi({ description: 'Such as signed or posted.' }),
        outcome: z.enum(['stored', 'repeated', 'confirmed', 'superseded']),
      }),
    ),
    refused: z
      .array(z.strictObject({ code: z.string(), message: z.string() }))
      .openapi({ description: 'Items of the body that are not reports.' }),
  })
  .openapi('ReceivedReports');

/**
 * Returns the descriptions of the refusals by the access gate, and of refusals with
 * further statuses.
 */
export function refusals(...more: readonly number[]): Record<400 | 401 | 403 | 404 | 429, object> {
  const refusal = (status: number): object => ({
    description: refusalTexts[status] ?? 'The daemon refuses the request.',
    content: { 'application/problem+json': { schema: problem } },
  });
  const own = Object.fromEntries(more.map((status) => [status, refusal(status)]));
  return {
    ...own,
    400: refusal(400),
    401: refusal(401),
    403: refusal(403),
    404: refusal(404),
    429: refusal(429),
  };
}

const refusalTexts: Readonly<Record<number, string>> = {
  400: 'The request does not have the described form.',
  401: 'The token is missing, unknown, or has ended.',
  403: 'The role, the scope or the customers of the token do not permit the request.',
  404: 'The object does not exist, or belongs to another customer.',
  409: 'The object exists already.',
  413: 'The body is larger than 10 MB.',
  422: 'A value of the body is invalid.',
  429: 'The token sent too many requests; Retry-After gives the seconds to wait.',
  503: 'The daemon is busy; Retry-After gives the seconds to wait.',
};

/** Returns the description of a JSON answer. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** The fields in the description of a route that requires a token. */
export const byToken = { security: [{ token: [] }] };
/** The fields in the description of a read-only route that requires a token. */
export const readByToken = { method: 'get', ...byToken } as const;

/**
 * Returns the descriptions of the answers of a route that lists items: a page of items,
 * or a refusal.
 */
export function page<Item extends z.ZodType>(name: string, item: Item, description: string) {
  return { 200: json(listOf(name, item), description), ...refusals() };
}

/** Returns the description of a JSON body in a request. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { 'application/json': { schema } } };
}
