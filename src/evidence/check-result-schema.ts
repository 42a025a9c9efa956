import { z } from 'zod';
import { attacks, outcomes, senders } from '../tls-policy/index.js';
import { keyed, dnssec, depth, storeIdentity, trustPath } from './schema-pieces.js';
import { topics, type CheckResult } from './check-result.js';

const versions = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const text = z.string();

const exposure = keyed(senders, keyed(attacks, z.enum(outcomes)));
const starttls = z.enum(['offered', 'absent', 'mangled', 'refused', 'unknown']);

export const certificateSchema = z.strictObject({
  keyAlgorithm: text,
  keyBits: z.int().min(0),
  signature: text,
  names: z.array(text),
  notBefore: text,
  notAfter: text,
  sni: text,
  chainAsSent: z.array(text),
  chain: z.enum(['trusted', 'incomplete', 'self-signed', 'unknown-ca', 'unknown']),
  validity: z.enum(['valid', 'expired', 'not-yet-valid']),
  nameMatch: z.enum(['match', 'mismatch']),
  dane: z.enum(['match', 'mismatch', 'unverifiable', 'not-applicable']),
  daneRecord: text.optional(),
  mtaSts: z.enum(['match', 'mismatch', 'unknown', 'not-applicable']).optional(),
  spkiSha256: z.string().regex(/^[0-9a-f]{64}$/),
  trustPath: trustPath.optional(),
});

const senderResult = z.strictObject({
  sender: text,
  name: text,
  result: z.enum(['session', 'refused', 'unknown']),
  version: text.optional(),
  suite: text.optional(),
  group: text.optional(),
  postQuantum: z.boolean().optional(),
  alert: z.int().optional(),
  reason: text.optional(),
});

const seen = {
  status: z.enum(['reachable', 'unreachable', 'inconclusive', 'skipped']),
  reason: text.optional(),
  reply: text.optional(),
  connections: z.int().min(0),
  starttls,
  tls: z.strictObject({
    versions: keyed(versions, z.enum(['accepted', 'refused', 'unknown'])),
    suites: z.array(z.strictObject({ version: text, name: text })),
    order: z.record(text, z.enum(['server', 'client', 'unknown'])),
    groups: z.array(text),
  }),
  certificates: z.array(certificateSchema),
  withoutSni: z.enum(['same-key', 'other-key', 'refused']).optional(),
  largeHello: z.enum(['answered', 'lost', 'unknown']).optional(),
  decryptedLater: z.enum(['possible', 'prevented', 'unknown']).optional(),
  senders: z.array(senderResult).optional(),
};

const address = z.strictObject({
  ip: text,
  ...seen,
  inferredFrom: text.optional(),
  exposure: exposure.optional(),
  submission: z.array(z.strictObject({ port: z.int(), ...seen })).optional(),
});

const host = z.strictObject({
  name: text,
  preference: z.int().min(0),
  dnssec,
  mtaStsMatch: z.enum(['match', 'mismatch', 'not-applicable']),
  tlsa: z.strictObject({
    status: z.enum(['usable', 'unusable', 'absent', 'insecure', 'bogus', 'tempfail']),
    records: z.array(z.string().regex(/^\d{1,3} \d{1,3} \d{1,3} [0-9a-f]*$/)),
    roles: z
      .array(z.enum(['current', 'next', 'stale', 'unrelated', 'duplicate', 'unusable', 'unknown']))
      .optional(),
    rollover: z.enum(['ready', 'single', 'partial', 'mismatch', 'unknown']).optional(),
  }),
  passedOver: z.enum(['address-literal', 'special-name', 'no-address']).optional(),
  addressLookup: z.enum(['failed']).optional(),
  exposure: exposure.optional(),
  addresses: z.array(address),
});

const code = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/);
const topic = z.enum(topics);
const program = z.strictObject({ name: text, version: text });

const finding = z.strictObject({
  id: code,
  topic: topic.optional(),
  severity: z.enum(['fail', 'warn', 'info', 'good']),
  subject: text,
  title: text,
  why: text,
  reason: text.optional(),
  reference: text,
  owner: z.enum(['domain', 'mail-host', 'dns-host', 'own-network']),
  fix: text,
  steps: z.array(
    z.strictObject({
      kind: z.enum(['dns', 'config', 'command', 'wait', 'confirm']),
      text,
      instruction: text.optional(),
      code: text.optional(),
    }),
  ),
});

const record = z.enum(['found', 'absent', 'invalid', 'tempfail']);

/**
 * Validates an untrusted value as a {@link CheckResult}; unknown members are rejected.
 */
export const checkResultSchema = z
  .strictObject({
    schema: z.literal('hermetic.check/1'),
    domain: z.string().min(1),
    domainUnicode: text.optional(),
    checkedAt: z.iso.datetime(),
    profile: text,
    depth,
    verdict: z.enum(['pass', 'warn', 'fail', 'inconclusive', 'not-applicable']),
    exposure,
    route: z.strictObject({ kind: z.enum(['mx', 'implicit', 'null-mx', 'none', 'error']), dnssec }),
    hosts: z.array(host),
    mtaSts: z.strictObject({
      status: record,
      id: text.optional(),
      mode: z.enum(['enforce', 'testing', 'none']).optional(),
      maxAge: z.int().min(0).optional(),
      mx: z.array(text).optional(),
      problems: z.array(text),
      addresses: z
        .array(
          z.strictObject({
            ip: text,
            notAfter: z.iso.datetime().optional(),
            problem: text.optional(),
          }),
        )
        .optional(),
    }),
    signatures: z
      .array(z.strictObject({ zone: text, rrset: text, notAfter: z.iso.datetime() }))
      .optional(),
    tlsRpt: z.strictObject({ status: record, rua: z.array(text), problems: z.array(text) }),
    control: z.strictObject({ host: text, starttls }).optional(),
    findings: z.array(finding),
    notLookedAt: z.array(text),
    undecided: z.array(text).optional(),
    passed: z.array(z.strictObject({ id: code, topic, title: text, reference: text })).optional(),
    provenance: z
      .strictObject({
        tool: program,
        collector: program.optional(),
        profileDate: text,
        vantage: z.strictObject({
          addresses: z.array(text),
          helo: text,
          ipv6: z.enum(['available', 'unavailable', 'unknown']),
        }),
        resolvers: z.array(text),
        trustStores: z.array(storeIdentity).optional(),
        evidenceSha256: z.string().regex(/^[0-9a-f]{64}$/),
      })
      .optional(),
    connections: z.int().min(0),
  })
  .meta({
    id: 'hermetic.check-1',
    title: 'hermetic.check/1',
    description: 'The verdict on the mail TLS of one domain.',
  });

checkResultSchema satisfies z.ZodType<CheckResult>;
