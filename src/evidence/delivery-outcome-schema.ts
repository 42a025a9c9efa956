import { z } from 'zod';
import { policyTypes, resultTypes } from '../tls-rpt/index.js';
import { certificateSchema } from './check-result-schema.js';
import type { DeliveryOutcome } from './delivery-outcome.js';
import { failure, mechanism, reason, stsMode, waiver } from './schema-pieces.js';

const text = z.string();
const time = z.iso.datetime();

const policyFailure = z.strictObject({ resultType: z.enum(resultTypes), code: text, detail: text });

const policy = z.strictObject({
  type: z.enum(policyTypes),
  domain: text,
  strings: z.array(text),
  mxHosts: z.array(text),
  mode: stsMode.optional(),
  failure: policyFailure.optional(),
  tlsRpt: z.strictObject({
    status: z.enum(['found', 'absent', 'invalid', 'tempfail']),
    record: text.optional(),
  }),
});

const attempt = z.strictObject({
  at: time,
  milliseconds: z.int().min(0),
  host: text,
  preference: z.int().min(0),
  ip: text.optional(),
  port: z.int().min(1).max(65_535),
  localIp: text.optional(),
  greeting: text.optional(),
  state: z.enum(['refused', 'unreachable', 'failed', 'used']),
  tls: z.enum(['opportunistic', 'mandatory']),
  authenticate: z.array(mechanism),
  reasons: z.array(reason),
  failure: failure.optional(),
  session: z
    .strictObject({
      version: text,
      suite: text,
      group: text.optional(),
      postQuantum: z.boolean().optional(),
      sni: text,
      certificate: certificateSchema.omit({ sni: true }).optional(),
    })
    .optional(),
  cleartext: z.boolean(),
  results: z.array(z.strictObject({ policy: z.int().min(0), failure: policyFailure.optional() })),
});

/** Validates an untrusted value as a {@link DeliveryOutcome}. */
export const deliveryOutcomeSchema = z
  .strictObject({
    schema: z.literal('hermetic.outcome/1'),
    domain: z.string().min(1),
    startedAt: time,
    finishedAt: time,
    result: z.enum(['connected', 'delivered', 'deferred', 'rejected']),
    failure: failure.optional(),
    waiver: waiver.optional(),
    helo: text,
    policies: z.array(policy).min(1),
    attempts: z.array(attempt),
  })
  .meta({
    id: 'hermetic.outcome-1',
    title: 'hermetic.outcome/1',
    description: 'The outcome of one delivery attempt to a next hop.',
  });

deliveryOutcomeSchema satisfies z.ZodType<DeliveryOutcome>;
