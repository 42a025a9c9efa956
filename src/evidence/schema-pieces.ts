import { z } from 'zod';
import { reasonTable, type Reason } from '../tls-policy/index.js';

export const dnssec = z.enum(['secure', 'insecure', 'bogus', 'indeterminate']);
export const failure = z.strictObject({ code: z.string(), detail: z.string() });
/** A zone that is signed with unsupported algorithms only. */
export const unsupportedZone = z.strictObject({
  zone: z.string(),
  algorithms: z.array(z.string()),
});
export const stsMode = z.enum(['enforce', 'testing', 'none']);
export const mechanism = z.enum(['dane', 'pkix']);
export const reason = z.enum(Object.keys(reasonTable) as [Reason, ...Reason[]]);
/** The reason why enforcement is suspended. */
export const waiver = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('observe') }),
  z.strictObject({ kind: z.literal('exemption'), until: z.string(), reason: z.string() }),
  z.strictObject({ kind: z.literal('tls-required-no') }),
]);
export const depth = z.enum(['triage', 'verdict', 'inventory']);

/** Returns an object with exactly these keys, all of one shape. */
export function keyed<const K extends string, V extends z.ZodType>(
  keys: readonly K[],
  value: V,
): z.ZodObject<Record<K, V>, z.core.$strict> {
  return z.strictObject(Object.fromEntries(keys.map((key) => [key, value])) as Record<K, V>);
}

/** The name, version, date and SHA-256 of a root store. */
export const storeIdentity = z.strictObject({
  name: z.string(),
  version: z.string().optional(),
  date: z.string().optional(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const base64Chain = z.array(z.base64()).max(20);

/** {@link PolicyAddressEvidence}. */
export const policyAddress = z.strictObject({
  address: z.string(),
  chain: base64Chain.optional(),
  policySha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  failure: failure.optional(),
});

/** {@link ContinuityEvidence}. */
export const continuity = z.strictObject({
  signatures: z.array(
    z.strictObject({
      zone: z.string(),
      rrset: z.string(),
      inception: z.iso.datetime(),
      expiration: z.iso.datetime(),
      registry: z.literal(true).optional(),
      soaExpire: z.int().min(0).optional(),
    }),
  ),
  servers: z.array(
    z.strictObject({
      server: z.string(),
      address: z.string(),
      inception: z.iso.datetime().optional(),
      expiration: z.iso.datetime().optional(),
      failure: failure.optional(),
    }),
  ),
  caa: z.array(
    z.strictObject({
      host: z.string(),
      certificateName: z.string(),
      status: z.enum(['found', 'absent', 'failed']),
      at: z.string(),
      alias: z.string().optional(),
      records: z.array(
        z.strictObject({ critical: z.boolean(), tag: z.string(), value: z.string() }),
      ),
      dnssec,
      failure: failure.optional(),
    }),
  ),
  references: z.array(
    z.strictObject({
      role: z.enum(['policy-host', 'sts-record', 'policy-mx', 'mx', 'report']),
      value: z.string(),
      target: z.string(),
      alias: z.literal(true).optional(),
      status: z.enum(['receives', 'nothing', 'nxdomain', 'refused', 'failed']),
      dnssec,
      wildcard: z.literal(true).optional(),
      deniedDomain: z.string().optional(),
      service: z.string().optional(),
      failure: failure.optional(),
    }),
  ),
});

/** {@link TrustPath}. */
export const trustPath = z.strictObject({
  root: z.string(),
  rootNotAfter: z.string(),
  issuersNotAfter: z.string().optional(),
});
