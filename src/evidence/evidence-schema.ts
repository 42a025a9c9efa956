import { z } from 'zod';
import type { Evidence } from './evidence.js';
import {
  continuity,
  depth,
  dnssec,
  failure,
  policyAddress,
  storeIdentity,
  trustPath,
  unsupportedZone,
} from './schema-pieces.js';

const text = z.string();
const count = z.number().min(0);
const reply = z.strictObject({ code: z.int(), lines: z.array(text) });
const starttls = z.enum(['offered', 'absent', 'mangled', 'refused', 'unknown']);
const record = z.enum(['found', 'absent', 'invalid', 'tempfail']);

const pkix = z.strictObject({
  chain: z.enum(['trusted', 'incomplete', 'self-signed', 'unknown-ca', 'unknown']),
  validity: z.enum(['valid', 'expired', 'not-yet-valid']),
  problems: z.array(text),
  anchor: z.base64().optional(),
  path: trustPath.optional(),
});
const presented = z.strictObject({ sni: text, chain: z.array(z.base64()), pkix });

const handshake = z.strictObject({
  version: z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']),
  suite: text,
  group: text.optional(),
  sni: text,
  chain: z.array(z.base64()),
  pkix,
});

const number = z.int().min(0);
const numbers = z.array(number);
const hex = z.string().regex(/^([0-9a-f]{2})*$/);
const scheme = number.optional();
const helloVersion = z.enum(['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);
const oldVersion = z.enum(['SSLv3', 'TLSv1', 'TLSv1.1']);
const topic = z.union([
  z.enum(['tls13', 'ecdsa', 'tls12', 'dhe']),
  z.templateLiteral(['highest:', oldVersion]),
  z.templateLiteral(['suites:', oldVersion]),
  z.templateLiteral(['order:', helloVersion]),
  z.templateLiteral(['set:', text]),
  z.templateLiteral(['groups:', text]),
  z.templateLiteral(['signatures:', text]),
]);

const probe = z.strictObject({
  question: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('hello'),
      topic,
      version: helloVersion,
      suites: numbers,
      groups: numbers,
      schemes: numbers,
      octets: number.optional(),
      segments: z.literal(2).optional(),
      keyShare: z.literal(true).optional(),
    }),
    z.strictObject({ kind: z.literal('sender'), sender: text }),
    z.strictObject({ kind: z.literal('ssl2') }),
    z.strictObject({
      kind: z.literal('handshake'),
      authentication: z.enum(['RSA', 'ECDSA', 'any']),
    }),
  ]),
  answer: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('hello'),
      hello: z.strictObject({
        version: number,
        suite: number,
        compression: number,
        retry: z.boolean(),
        group: number.optional(),
        extensions: numbers,
        extendedMasterSecret: z.boolean(),
        encryptThenMac: z.boolean(),
        secureRenegotiation: z.boolean(),
        sessionTicket: z.boolean(),
        downgradeSentinel: z.enum(['TLSv1.2', 'TLSv1.1 or lower']).optional(),
      }),
      keyExchange: z
        .discriminatedUnion('kind', [
          z.strictObject({
            kind: z.literal('ecdhe'),
            group: z.union([number, z.literal('explicit')]),
            scheme,
          }),
          z.strictObject({ kind: z.literal('dhe'), prime: hex, generator: hex, scheme }),
          z.strictObject({ kind: z.literal('rsa-export'), modulusBits: number }),
          z.strictObject({ kind: z.literal('other') }),
        ])
        .optional(),
    }),
    z.strictObject({ kind: z.literal('refused'), alert: number.optional() }),
    z.strictObject({ kind: z.literal('ssl2'), ciphers: numbers }),
    z.strictObject({ kind: z.literal('none'), reason: text }),
  ]),
});

const connection = z.strictObject({
  purpose: text,
  at: count,
  milliseconds: count,
  dial: z.union([z.literal('open'), failure]),
  greeting: reply.optional(),
  ehlo: reply.optional(),
  starttls,
  mangledAs: text.optional(),
  starttlsReply: reply.optional(),
  handshake: handshake.optional(),
  withoutSni: handshake.optional(),
  probe: probe.optional(),
  presented: presented.optional(),
  injection: z.enum(['executed', 'discarded', 'unknown']).optional(),
  renegotiation: z.enum(['accepted', 'refused', 'unknown']).optional(),
  earlier: z.literal(true).optional(),
  ehloAfterTls: reply.optional(),
  failure: failure.optional(),
  transcript: z.array(z.strictObject({ from: z.enum(['C', 'S', '-']), text, at: count })),
});

const seen = {
  status: z.enum(['reachable', 'unreachable', 'inconclusive', 'skipped']),
  reason: text.optional(),
  connections: z.array(connection),
  stopped: text.optional(),
};

const host = z.strictObject({
  name: text,
  preference: z.int().min(0),
  dnssec,
  unsupported: unsupportedZone.optional(),
  alias: z.strictObject({ canonicalName: text, secure: z.boolean() }).optional(),
  addressLookup: z.strictObject({
    status: z.enum(['found', 'absent', 'failed']),
    failure: failure.optional(),
  }),
  tlsa: z.strictObject({
    status: z.enum(['usable', 'unusable', 'absent', 'insecure', 'bogus', 'tempfail']),
    base: text,
    alias: text.optional(),
    dnssec,
    records: z.array(text),
    failure: failure.optional(),
    elsewhere: z.array(text).optional(),
  }),
  meant: text.optional(),
  addresses: z.array(
    z.strictObject({
      ip: text,
      ...seen,
      inferredFrom: text.optional(),
      submission: z.array(z.strictObject({ port: z.int(), ...seen })).optional(),
    }),
  ),
});

const txt = z.strictObject({
  texts: z.array(text),
  elsewhere: z.array(text).optional(),
  lookup: z.enum(['found', 'absent', 'failed']),
  dnssec,
  failure: failure.optional(),
});

/** Validates an untrusted value as {@link Evidence}. */
export const evidenceSchema = z
  .strictObject({
    schema: z.literal('hermetic.evidence/1'),
    domain: z.string().min(1),
    collectedAt: z.iso.datetime(),
    tool: z.strictObject({ name: text, version: text }).optional(),
    depth,
    helo: text,
    smtpPort: z.int(),
    route: z.strictObject({
      kind: z.enum(['mx', 'implicit', 'null-mx', 'none', 'error']),
      dnssec,
      status: z.enum(['found', 'nodata', 'nxdomain', 'failed']),
      failure: failure.optional(),
      skipped: z.array(text).optional(),
      besideNullMx: z.literal(true).optional(),
    }),
    hosts: z.array(host),
    mtaSts: z.strictObject({
      txt,
      status: record,
      id: text.optional(),
      policy: z
        .strictObject({
          mode: z.enum(['enforce', 'testing', 'none']),
          maxAge: z.int().min(0),
          mx: z.array(text),
          body: text,
        })
        .optional(),
      policyHost: z.strictObject({ address: text, chain: z.array(z.base64()).max(20) }).optional(),
      policyAddresses: z.array(policyAddress).optional(),
      problems: z.array(failure),
      hostDnssec: dnssec.optional(),
    }),
    tlsRpt: z.strictObject({ txt, status: record, rua: z.array(text), problems: z.array(failure) }),
    network: z.strictObject({
      port25: z.enum(['open', 'blocked', 'unknown']),
      ipv6: z.enum(['available', 'unavailable', 'unknown']),
      control: z.strictObject({ host: text, starttls, failure: failure.optional() }).optional(),
      resolver: z.array(z.strictObject({ label: text, state: text })),
      sources: z.array(text).optional(),
    }),
    continuity: continuity.optional(),
    trustStores: z.array(storeIdentity).optional(),
  })
  .meta({
    id: 'hermetic.evidence-1',
    title: 'hermetic.evidence/1',
    description: 'The observations of the mail TLS of one domain.',
  });

evidenceSchema satisfies z.ZodType<Evidence>;
