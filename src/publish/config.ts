import { z } from 'zod';
import { parseDomain } from '../base/index.js';
import { parseUpstream } from '../dns/index.js';

/** The name of publishing among the jobs that write. */
export const PUBLISHING = 'publish';

const file = z.string().min(1);

/**
 * A host or domain in any spelling, converted to A-labels in lower case.
 * [8461-3.2-14, 8461-10.4-1]
 */
const domain = z.string().transform((sourceText, context) => {
  const parsed = parseDomain(sourceText);
  if (parsed.ok) return parsed.value.toLower();
  const wildcard = sourceText.startsWith('*.');
  context.addIssue({
    code: 'custom',
    message: wildcard
      ? 'is a wildcard, which admits any host below that domain: name every MX host instead (RFC 8461 §10.4)'
      : 'is not a host name: write it as mx1.example.com',
  });
  return z.NEVER;
});

const seconds = (min: number, max: number): z.ZodType<number, unknown> => z.int().min(min).max(max);

const periods = { s: 1000, d: 86_400_000, w: 7 * 86_400_000, y: 365 * 86_400_000 } as const;

/** A time such as `90d`, `26w` or `1y`, converted to milliseconds. */
const period = z.string().transform((sourceText, context) => {
  const [, count, unit] = /^([1-9]\d{0,5})([sdwy])$/.exec(sourceText) ?? [];
  if (count !== undefined) return Number(count) * periods[unit as keyof typeof periods];
  context.addIssue({ code: 'custom', message: 'is not a time: write 90d, 26w or 1y' });
  return z.NEVER;
});

/** Name of an entry of `publish.dns`. */
const dnsName = z.string().default('print');

/**
 * Authoritative servers that are queried after a change, `ADDRESS` or `ADDRESS:PORT`.
 * Default: those of the zone's NS records.
 */
const servers = z.array(z.string()).optional();

const serverAddress = z.string().refine((sourceText) => {
  const parsed = parseUpstream(sourceText);
  return parsed.ok && parsed.value.tlsName === undefined && parsed.value.transport === undefined;
}, 'is not an address of a name server: write ADDRESS, ADDRESS:PORT or [IPv6]:PORT');

/**
 * The way in which records of a zone are changed. `print`: the operator pastes the
 * records.
 */
const dnsTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('print'), servers }),
  /**
   * Dynamic update with TSIG, over TCP to the primary server (RFC 2136, RFC 8945). `key`
   * is a file in the format of `tsig-keygen`.
   */
  z.strictObject({
    kind: z.literal('rfc2136'),
    server: serverAddress,
    zone: domain,
    key: file,
    servers,
  }),
  /**
   * A command that reads the change as JSON from its standard input. The command changes
   * the target of an alias only inside its `zone`.
   */
  z.strictObject({
    kind: z.literal('hook'),
    command: z.array(z.string().min(1)).min(1),
    zone: domain.optional(),
    servers,
  }),
]);

const mailHost = z.strictObject({
  /** Whether TLSA records are published for the host. */
  dane: z.boolean().default(true),
  /** Key types that the server of the host should present. */
  keys: z
    .array(z.enum(['ecdsa', 'rsa']))
    .min(1)
    .default(['ecdsa']),
  /**
   * Matching types of the records: `[1]` means `3 1 1`, which RFC 7672 §3.1 recommends.
   */
  matchingTypes: z
    .array(
      z.union([z.literal(1), z.literal(2)], {
        error:
          'is not a digest: write 1 (SHA-256) or 2 (SHA-512); whole certificates and keys are not published',
      }),
    )
    .min(1)
    .default([1]),
  /** TTL of TLSA records, seconds. [7671-13-1] */
  ttl: seconds(1, 86_400).default(3600),
  /**
   * Private keys that the server already uses. Hermetic imports these keys into the ring.
   */
  adopt: z.array(file).default([]),
  /**
   * The folder that the server of the host reads, with `FOLDER/ecdsa/both.pem`, `key.pem`
   * and `chain.pem`, and the command that reloads the server.
   */
  install: z
    .strictObject({ folder: file, reload: z.array(z.string().min(1)).min(1).optional() })
    .optional(),
  /**
   * The way in which the keys of the host are certified. `self-signed` is for hosts that
   * use DANE only. With `files` another program maintains key and certificate.
   */
  certificates: z.enum(['manual', 'self-signed', 'acme', 'files']).default('manual'),
  /**
   * Files of another program, such as certbot: Hermetic reads these files and never
   * writes them; one pair for each key type.
   */
  files: z
    .array(z.strictObject({ chain: file, key: file }))
    .max(2)
    .default([]),
  /**
   * Time in use after which a key is changed, milliseconds. Disabled by default: age
   * alone is a weak reason to change a key.
   */
  rollKeysEvery: period.optional(),
  /** Further names in a certificate from `acme`, such as the submission name of users. */
  names: z.array(domain).max(99).default([]),
  dns: dnsName,
});

/**
 * The CA that certifies policy hosts, and mail hosts with `certificates: acme` (RFC
 * 8555).
 */
const acme = z.strictObject({
  directory: z.url({
    protocol: /^https$/,
    error: 'is not an https URL: write the directory of the CA',
  }),
  /** You agree to the CA's terms of service. [8555-7.3-2] */
  agreed: z.literal(true, { error: 'is missing: read the terms of the CA and write true' }),
  /** Addresses to which the CA may write. [8555-7.3-1] */
  contact: z
    .array(
      z
        .string()
        .regex(/^mailto:[^@\s,;?]+@[A-Za-z0-9.-]+$/, 'is not a contact: write mailto:NAME@DOMAIN'),
    )
    .max(10)
    .default([]),
  /** A certificate profile of the CA, such as `shortlived`. */
  profile: z.string().min(1).max(64).optional(),
  /**
   * Common name of the preferred root, if the CA offers several chains (RFC 8555 §7.4.2).
   */
  preferredChain: z.string().min(1).max(256).optional(),
  challenge: z.enum(['http-01', 'tls-alpn-01', 'dns-01', 'dns-persist-01']).default('tls-alpn-01'),
  /**
   * Document root of an existing web server on port 80: responses to http-01 challenges
   * become files in it.
   */
  webroot: file.optional(),
  /**
   * Binds the account to a customer of the CA (RFC 8555 §7.3.4). `macKey` is the path of
   * the key file.
   */
  external: z.strictObject({ keyId: z.string().min(1), macKey: file }).optional(),
  /** PEM file with the root of the CA's own web server, if it is not a public root. */
  roots: file.optional(),
});

const mailDomain = z.strictObject({
  /**
   * The target mode. A policy reaches `enforce` through testing, if the evidence permits
   * it.
   */
  mode: z.enum(['enforce', 'testing', 'none']).default('enforce'),
  /** Hosts that receive the mail, in the order of preference. */
  mx: z.array(domain).max(100).default([]),
  /**
   * Values of max_age in seconds, ascending. The `max_age` of an enforced policy rises
   * through these values.
   */
  maxAges: z
    .array(seconds(1, 31_557_600))
    .min(1)
    .refine(
      (ages) => ages.every((age, index) => index === 0 || age > (ages[index - 1] ?? 0)),
      'are not ascending: write the smallest value first',
    )
    .default([86_400, 604_800, 2_678_400]),
  /**
   * A domain of this configuration whose record and policy this domain uses, through an
   * alias (RFC 8461 §8.2). In that case only `policyHost`, `reports` and `dns` apply to
   * this domain.
   */
  sameAs: domain.optional(),
  /** Host whose addresses serve the policy: `mta-sts.DOMAIN` becomes its alias. */
  policyHost: domain.optional(),
  /** TTL of the records, seconds. */
  ttl: seconds(1, 86_400).default(3600),
  /** Addresses for TLS reports: `mailto:` and `https:` URIs. */
  reports: z
    .array(
      z
        .string()
        .regex(
          /^(mailto:[^@\s,;!]+@[A-Za-z0-9.-]+|https:\/\/[A-Za-z0-9.-]+(:\d+)?(\/[^\s,;!]*)?)$/,
          'is not an address for reports: write mailto:NAME@DOMAIN or https://HOST/PATH',
        ),
    )
    .default([]),
  dns: dnsName,
});

/**
 * The section `publish` of `hermetic.yaml`: the desired state. The keys of the section
 * are a contract with the operator.
 */
export const publishSection = z
  .strictObject({
    /**
     * Folder of the key ring, with one folder for each host and one file for each key.
     */
    keys: file.default('/var/lib/hermetic/keys'),
    /** Mail hosts, by name. */
    hosts: z.record(domain, mailHost.prefault({})).default({}),
    /** Mail domains, by name. */
    domains: z.record(domain, mailDomain).default({}),
    dns: z.record(z.string(), dnsTarget).default({}),
    acme: acme.optional(),
    /** Domains whose signed TLS-RPT reports count as evidence. */
    reporters: z.array(domain).default(['google.com', 'microsoft.com']),
    /** Days in testing without a reported failure before a policy is enforced. */
    days: z.int().min(0).max(365).default(14),
    /** Signed reports needed in these days. */
    leastReports: z.int().min(0).max(1000).default(3),
    /** Ports of mail servers and policy hosts, for a lab. */
    ports: z
      .strictObject({
        smtp: z.int().min(1).max(65_535).default(25),
        https: z.int().min(1).max(65_535).default(443),
      })
      .prefault({}),
    /**
     * Whether periods of seconds are allowed, so that a test observes the whole lifetime
     * of a policy in minutes. For a lab, never for real mail.
     */
    rehearsal: z.boolean().default(false),
    /** Folder to which policies are also written, for another web server. */
    exportTo: file.optional(),
  })
  .superRefine((section, context) => {
    if (!section.rehearsal)
      refuseShortPeriods(section, (path, message) =>
        context.addIssue({ code: 'custom', path, message }),
      );
    for (const [name, { certificates, files, rollKeysEvery }] of Object.entries(section.hosts)) {
      const refuse = (identity: string, message: string): void =>
        context.addIssue({ code: 'custom', path: ['hosts', name, identity], message });
      if (certificates === 'acme' && !section.acme)
        refuse('certificates', 'requires a CA: describe it in publish.acme');
      if (certificates === 'files' && files.length === 0)
        refuse('files', 'is empty: name chain and key of each certificate');
      if (certificates !== 'files' && files.length > 0)
        refuse(
          'files',
          'is read only with certificates files: write certificates: files, or omit it',
        );
      if (certificates === 'files' && rollKeysEvery !== undefined)
        refuse(
          'rollKeysEvery',
          'does not apply: the program that maintains the files creates the keys; omit it',
        );
    }
    if (section.acme?.webroot !== undefined && section.acme.challenge !== 'http-01')
      context.addIssue({
        code: 'custom',
        path: ['acme', 'webroot'],
        message: 'applies to http-01: write challenge: http-01',
      });
    for (const [name, { mx, sameAs }] of Object.entries(section.domains)) {
      const refuse = (identity: string, message: string): void =>
        context.addIssue({ code: 'custom', path: ['domains', name, identity], message });
      const other = sameAs === undefined ? undefined : section.domains[sameAs];
      if (sameAs === undefined && mx.length === 0)
        refuse('mx', 'is empty: name every host that receives mail for the domain');
      if (sameAs !== undefined && (!other || other.sameAs !== undefined || sameAs === name))
        refuse('sameAs', 'is not a domain with its own policy: add it to publish.domains');
    }
    for (const [kind, items] of [
      ['hosts', section.hosts],
      ['domains', section.domains],
    ] as const) {
      for (const [name, { dns }] of Object.entries(items))
        if (dns !== 'print' && !(dns in section.dns))
          context.addIssue({
            code: 'custom',
            path: [kind, name, 'dns'],
            message: `names no entry of publish.dns: write one of ${['print', ...Object.keys(section.dns)].join(', ')}`,
          });
    }
  });

/**
 * Refuses periods that are too short for protection: an attacker can wait until the
 * cached policies of senders have expired (RFC 8461 §10.2).
 */
function refuseShortPeriods(
  {
    hosts,
    domains,
    days,
  }: {
    hosts: Record<string, { ttl: number; rollKeysEvery?: number | undefined }>;
    domains: Record<string, { ttl: number; maxAges: number[] }>;
    days: number;
  },
  refuse: (path: string[], message: string) => void,
): void {
  if (days < 1)
    refuse(['days'], 'is too short: at least one day in testing must precede enforcement');
  for (const [kind, items] of [
    ['hosts', hosts],
    ['domains', domains],
  ] as const)
    for (const [name, { ttl }] of Object.entries(items))
      if (ttl < 60) refuse([kind, name, 'ttl'], 'is too short: write at least 60 seconds');
  for (const [name, { rollKeysEvery = Infinity }] of Object.entries(hosts))
    if (rollKeysEvery < 30 * periods.d)
      refuse(['hosts', name, 'rollKeysEvery'], 'is too short: write at least 30d');
  for (const [name, { maxAges }] of Object.entries(domains))
    if (maxAges.some((age) => age < 86_400))
      refuse(['domains', name, 'maxAges'], 'are too short: write at least a day, 86400');
}

/** The parsed section `publish`, with defaults filled in. */
export type PublishSection = z.output<typeof publishSection>;
/** The desired state of one mail host. */
export type DesiredMailHost = PublishSection['hosts'][string];
/** The desired state of one mail domain. */
export type DesiredMailDomain = PublishSection['domains'][string];
/** One entry of `publish.dns`. */
export type DnsTarget = PublishSection['dns'][string];
