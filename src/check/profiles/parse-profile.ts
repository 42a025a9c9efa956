import { z } from 'zod';
import { fail, ok, type Result } from '../../base/index.js';
import { groupTable, signatureSchemeTable, suites as known } from '../../tls/index.js';
import { checkFailures } from '../failures.js';
import { catalogue, type FindingId } from '../findings/catalogue.js';
import { baseline } from './baseline.js';
import { findProfile } from './index.js';
import type { Profile } from './profile.js';

/**
 * A code point given by its IANA name. Names make a profile readable, and a typo cannot
 * select another suite.
 */
const code = (what: string, table: ReadonlyMap<string, number>) =>
  z
    .string()
    .transform(
      (profileName, context) =>
        table.get(profileName) ?? refuse(context, `no ${what} is called ${profileName}`),
    );
/** Suites of every version. */
const suite = code(
  'suite',
  new Map([...known.values()].map((cipherSuite) => [cipherSuite.name, cipherSuite.codePoint])),
);
/** Groups of the key exchange. */
const group = code('group', new Map(groupTable.map((group) => [group.name, group.codePoint])));
/** Signature schemes of the handshake. */
const scheme = code(
  'signature scheme',
  new Map(signatureSchemeTable.map(([id, profileName]) => [profileName, id])),
);

/** A finding of the catalogue. A profile can grade findings and cannot invent them. */
const finding = z.string().transform((ruleId, context) => {
  if (ruleId in catalogue) return ruleId as FindingId;
  return refuse(context, `no finding is called ${ruleId}`);
});
const severity = z.enum(['fail', 'warn', 'info', 'good']);
const version = z.enum(['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);

/**
 * A question on suites, groups or signatures. Objects are strict: an unknown field is
 * more likely a typo than an extension.
 */
const set = z.union([
  z.strictObject({ finding, suites: z.array(suite).min(1) }),
  z.strictObject({
    finding,
    groups: z.array(group).min(1),
    version: z.enum(['TLSv1.2', 'TLSv1.3']),
  }),
  z.strictObject({ finding, schemes: z.array(scheme).min(1) }),
]);

/**
 * A rule with its clause, which is required: a grade without a source cannot be
 * justified.
 */
const rule = z.strictObject({
  severity: z.union([
    severity,
    z.strictObject({
      none: severity,
      testing: severity,
      enforce: severity,
      daneTa: severity,
      daneEe: severity,
    }),
  ]),
  whenAll: severity.exactOptional(),
  clause: z.string().min(1),
  depth: z.enum(['triage', 'verdict', 'inventory', 'intrusive']).exactOptional(),
});

/** Requirements on TLS; omitted requirements come from the extended profile. */
const tls = z
  .strictObject({
    versions: z.partialRecord(version, finding),
    required: z.array(version),
    sets: z.array(set),
    order: z.strictObject({ finding, worse: z.array(suite).min(1) }),
    dheBits: z.int().min(1),
    compression: finding,
    extendedMasterSecret: finding,
    secureRenegotiation: finding,
  })
  .partial();

/**
 * The profile file. A list or limit replaces that of the extended profile as a whole, and
 * each rule the rule of the same finding.
 */
const file = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{0,99}$/, 'lower-case letters, digits, dots and hyphens'),
  source: z.string().min(1),
  date: z.string().regex(/^\d{4}(-\d\d){0,2}$/, 'a date such as 2026-11'),
  extends: z
    .string()
    .transform(
      (profileName, context) =>
        findProfile(profileName) ?? refuse(context, `no profile is called ${profileName}`),
    )
    .default(baseline),
  rules: z.record(z.string(), rule).default({}),
  keys: z
    .array(z.strictObject({ finding, rsaBelow: z.int().min(0), ecBelow: z.int().min(0) }))
    .optional(),
  nearExpiry: z
    .strictObject({ share: z.number().min(0).max(1), days: z.number().min(0) })
    .optional(),
  maxAge: z.int().min(0).optional(),
  requiresDane: z.boolean().optional(),
  tls: tls.default({}),
});

/** Reports an invalid value that the schema cannot detect. */
function refuse(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

/**
 * Parses an operator's own profile from JSON. Its rules and limits replace those of the
 * profile that it extends, by default the baseline. Suites, groups and schemes have their
 * IANA names. Fails with `profile-malformed`, which names the field.
 */
export function parseProfile(value: unknown): Result<Profile> {
  const read = file.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return malformed(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
  }
  const { extends: base, rules, tls: terms, ...own } = read.data;
  const stranger = Object.keys(rules).find((ruleId) => !(ruleId in catalogue));
  if (stranger !== undefined) return malformed(`rules.${stranger}: no finding has this name`);
  return ok({
    ...base,
    ...present(own),
    rules: { ...base.rules, ...rules },
    tls: { ...base.tls, ...present(terms) },
  });
}

/** Returns the failure with at most 300 characters of detail. */
function malformed(detail: string): Result<Profile> {
  return fail(checkFailures.make('profile-malformed', detail.slice(0, 300)));
}

/**
 * Returns the values that are present: an absent value must not replace that of the
 * extended profile.
 */
function present<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
