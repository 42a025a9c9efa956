import { z } from '@hono/zod-openapi';

const time = z.iso.datetime().openapi({ example: '2026-11-30T04:12:00.000Z' });
const checkId = z
  .string()
  .regex(/^[0-9A-Za-z]{22}$/)
  .openapi({ example: '4fKq0aZr81LmTzX2bVnQsE', description: 'Id of a check: 131 random bits.' });

/** The path parameter that identifies a check. */
export const checkParameters = z.object({
  id: checkId.openapi({ param: { name: 'id', in: 'path' } }),
});

/** The query parameter with the profile by which a result is graded. */
export const profileQuery = z.object({
  profile: z
    .string()
    .max(40)
    .optional()
    .openapi({ description: 'Grading rules. Default: baseline.', example: 'ncsc-nl' }),
});

/** The body of a request to check a domain. */
export const checkRequest = z
  .strictObject({
    domain: z.string().min(1).max(1000).openapi({
      description: 'The part after the @ of a mail address, as A-labels or U-labels.',
      example: 'example.com',
    }),
    maxAgeSeconds: z.int().min(0).max(86_400).optional().openapi({
      description: 'A finished result is at most this old. Default and maximum: 15 minutes.',
    }),
    again: checkId.optional().openapi({
      description:
        'Check again, although this result is recent. The new result includes a comparison with this result.',
    }),
  })
  .openapi('CheckRequest');

/**
 * The result of a check. The OpenAPI document contains the complete schema instead of
 * this short one.
 */
export const checkResult = z
  .looseObject({ schema: z.literal('hermetic.check/1') })
  .openapi('CheckResult');

/**
 * The evidence of a check. The OpenAPI document contains the complete schema instead of
 * this short one.
 */
export const evidence = z
  .looseObject({ schema: z.literal('hermetic.evidence/1') })
  .openapi('Evidence');

/** One fact that a running check has observed. */
export const checkEvent = z
  .looseObject({
    kind: z.enum(['route', 'host', 'visit', 'address', 'mta-sts', 'tls-rpt']),
  })
  .openapi('CheckEvent');

/** The state of a check, with the result if the check is done. */
export const checkDocument = z
  .strictObject({
    id: checkId,
    domain: z.string().openapi({ description: 'A-label, no final dot.' }),
    state: z.enum(['queued', 'running', 'done', 'failed']),
    position: z.int().min(1).optional().openapi({ description: 'Place in the queue.' }),
    askedAt: time,
    finishedAt: time.optional(),
    previous: checkId
      .optional()
      .openapi({ description: 'The id of the check that this check repeats.' }),
    failure: z.string().optional().openapi({ description: 'Stable code of the reason.' }),
    events: z.array(checkEvent),
    result: checkResult.optional(),
    url: z.string().openapi({ description: 'Path of the human-readable page.' }),
  })
  .openapi('Check');

/** A refusal (RFC 9457). */
export const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().openapi({ description: 'Stable code; docs/errors.md lists all of them.' }),
    fix: z.string(),
  })
  .openapi('Problem');

/** The state of a check, as the API returns it. */
export type CheckDocument = z.output<typeof checkDocument>;
