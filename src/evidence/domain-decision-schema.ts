import { z } from 'zod';
import type { DomainDecision } from '../tls-policy/index.js';
import { dnssec, mechanism, reason, stsMode, unsupportedZone, waiver } from './schema-pieces.js';

const text = z.string();
const time = z.iso.datetime();
const trouble = z.strictObject({
  code: text,
  detail: text,
  blame: z.enum(['peer', 'publisher', 'network', 'local']),
  whose: z.enum(['ours', 'theirs']),
});

const decision = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('use'),
    tls: z.enum(['opportunistic', 'mandatory']),
    authenticate: z.array(mechanism),
    reasons: z.array(reason),
  }),
  z.strictObject({ action: z.literal('skip'), reasons: z.array(reason) }),
  z.strictObject({ action: z.literal('unknown'), reasons: z.array(reason) }),
]);

const host = z.strictObject({
  name: text,
  preference: z.int().min(0),
  addresses: z.array(text),
  dnssec,
  unsupported: unsupportedZone.optional(),
  trouble: trouble.optional(),
  tlsa: z.strictObject({
    status: z.enum(['usable', 'unusable', 'absent', 'insecure', 'bogus', 'tempfail', 'unknown']),
    base: text,
    dnssec,
    records: z.array(text),
    trouble: trouble.optional(),
  }),
  decision,
  sni: text,
  referenceNames: z.array(text),
  grounds: z.array(
    z.strictObject({
      reason,
      says: text,
      clause: text,
      record: text.optional(),
      until: time.optional(),
      trouble: trouble.optional(),
    }),
  ),
});

/** Validates an untrusted value as a {@link DomainDecision}. */
export const domainDecisionSchema = z
  .strictObject({
    schema: z.literal('hermetic.policy/1'),
    domain: z.string().min(1),
    decidedAt: time,
    validUntil: time,
    action: z.enum(['deliver', 'wait', 'reject']),
    route: z.strictObject({
      kind: z.enum(['mx', 'implicit', 'null-mx', 'none', 'error', 'host', 'address']),
      dnssec,
      trouble: trouble.optional(),
    }),
    mtaSts: z.strictObject({
      how: z.enum(['live', 'cached', 'kept', 'none']),
      policy: z
        .strictObject({
          id: text,
          mode: stsMode,
          mx: z.array(text),
          maxAge: z.int().min(0),
          fetchedAt: time,
          expiresAt: time,
          body: text,
        })
        .optional(),
      record: z.strictObject({
        status: z.enum(['found', 'absent', 'invalid', 'tempfail', 'not-asked']),
        id: text.optional(),
      }),
      trouble: trouble.optional(),
    }),
    hosts: z.array(host),
    settings: z.strictObject({
      dane: z.boolean(),
      mtaSts: z.boolean(),
      daneSuffices: z.boolean(),
      daneWithInsecureMx: z.boolean(),
      require: z.enum(['tls', 'dane', 'verified']).optional(),
    }),
    waiver: waiver.optional(),
  })
  .meta({
    id: 'hermetic.policy-1',
    title: 'hermetic.policy/1',
    description: 'The TLS that a sender must require for the mail of a domain, with the reasons.',
  });

domainDecisionSchema satisfies z.ZodType<DomainDecision>;
