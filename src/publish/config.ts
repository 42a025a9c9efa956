import { z } from 'zod';
import { parseDomain } from '../base/index.js';
import { parseUpstream } from '../dns/index.js';

const file = z.string().min(1);

/**
 * A host or domain as a person writes it, in A-labels and lower case.
 * [8461-3.2-14, 8461-10.4-1]
 */
const domain = z.string().transform((text, context) => {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.value.toLower();
  const wildcard = text.startsWith('*.');
  context.addIssue({
    code: 'custom',
    message: wildcard
      ? 'is a wildcard: name every MX host, since whoever gets a certificate below that domain could take the mail (RFC 8461 §10.4)'
      : 'is no host name: write it as mx1.example.com',
  });
  return z.NEVER;
});

const seconds = (least: number, most: number): z.ZodType<number, unknown> =>
  z.int().min(least).max(most);

const periods = { s: 1000, d: 86_400_000, w: 7 * 86_400_000, y: 365 * 86_400_000 } as const;

/** A time such as `90d`, `26w` or `1y`; gives milliseconds. */
const period = z.string().transform((text, context) => {
  const [, count, unit] = /^([1-9]\d{0,5})([sdwy])$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * periods[unit as keyof typeof periods];
  context.addIssue({ code: 'custom', message: 'is no time: write 90d, 26w or 1y' });
  return z.NEVER;
});

/** A name of `dns`. */
const dnsName = z.string().default('print');

/**
 * Authoritative servers that are read back, `ADDRESS` or `ADDRESS:PORT`. Default: those
 * of the zone's NS records.
 */
const servers = z.array(z.string()).optional();

const serverAddress = z.string().refine((text) => {
  const parsed = parseUpstream(text);
  return parsed.ok && parsed.value.tlsName === undefined;
}, 'is no address of a name server: write ADDRESS, ADDRESS:PORT or [IPv6]:PORT');

/** How records get into a zone. `print`: a person puts them there. */
const dnsTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('print'), servers }),
  /**
   * Dynamic update with TSIG, over TCP to the primary (RFC 2136, RFC 8945); `key` is a
   * file as `tsig-keygen` writes it.
   */
  z.strictObject({
    kind: z.literal('rfc2136'),
    server: serverAddress,
    zone: domain,
    key: file,
    servers,
  }),
  /**
   * A command that reads the change as JSON from its standard input. What an alias leads
   * to is written by it inside its `zone` alone.
   */
  z.strictObject({
    kind: z.literal('hook'),
    command: z.array(z.string().min(1)).min(1),
    zone: domain.optional(),
    servers,
  }),
]);

const mailHost = z.strictObject({
  /** Whether TLSA records are published for it. */
  dane: z.boolean().default(true),
  /** Key types its server is to show. */
  keys: z
    .array(z.enum(['ecdsa', 'rsa']))
    .min(1)
    .default(['ecdsa']),
  /** Digests of the records: `[1]` is `3 1 1`, what RFC 7672 §3.1 recommends. */
  matchingTypes: z
    .array(
      z.union([z.literal(1), z.literal(2)], {
        error:
          'is no digest: write 1 (SHA-256) or 2 (SHA-512); whole certificates and keys are not published',
      }),
    )
    .min(1)
    .default([1]),
  /** Of TLSA records, seconds. [7671-13-1] */
  ttl: seconds(1, 86_400).default(3600),
  /** A private key that the server has already: taken into the ring. */
  adopt: z.array(file).default([]),
  /**
   * Where its server finds its files, `FOLDER/ecdsa/both.pem` and beside it `key.pem` and
   * `chain.pem`, and the command that has it read them again.
   */
  install: z
    .strictObject({ folder: file, reload: z.array(z.string().min(1)).min(1).optional() })
    .optional(),
  /**
   * Who certifies its keys. `self-signed` is for hosts with DANE alone; with `files`
   * somebody else keeps key and certificate up to date.
   */
  certificates: z.enum(['manual', 'self-signed', 'acme', 'files']).default('manual'),
  /**
   * Those files, such as certbot's: they are looked at, never written; one pair for each
   * key type.
   */
  files: z
    .array(z.strictObject({ chain: file, key: file }))
    .max(2)
    .default([]),
  /**
   * Its keys are changed when they were in use for so long, in milliseconds. Off unless
   * asked for: a key changes for a reason, and a calendar is a weak one.
   */
  rollKeysEvery: period.optional(),
  /**
   * Further names in a certificate from `acme`, such as the one users send their mail to.
   */
  names: z.array(domain).max(99).default([]),
  dns: dnsName,
});

/** A CA that certifies policy hosts, and mail hosts that say so (RFC 8555). */
const acme = z.strictObject({
  directory: z.url({
    protocol: /^https$/,
    error: 'is no https URL: write the directory of the CA',
  }),
  /** You agree to the CA's terms of service. [8555-7.3-2] */
  agreed: z.literal(true, { error: 'is missing: read the terms of the CA and write true' }),
  /** [8555-7.3-1] */
  contact: z
    .array(
      z
        .string()
        .regex(/^mailto:[^@\s,;?]+@[A-Za-z0-9.-]+$/, 'is no contact: write mailto:NAME@DOMAIN'),
    )
    .max(10)
    .default([]),
  /** One of the CA's own, such as `shortlived`. */
  profile: z.string().min(1).max(64).optional(),
  /**
   * Common name of the root a chain is to end below, where the CA offers several (RFC
   * 8555 §7.4.2).
   */
  preferredChain: z.string().min(1).max(256).optional(),
  challenge: z.enum(['http-01', 'tls-alpn-01', 'dns-01', 'dns-persist-01']).default('tls-alpn-01'),
  /**
   * Root of a web server on port 80 that is there already: answers to http-01 become
   * files of it.
   */
  webroot: file.optional(),
  /** For CAs that know their customers: `macKey` is a file. */
  external: z.strictObject({ keyId: z.string().min(1), macKey: file }).optional(),
  /** PEM file of the root of the CA's own web server, where it is no public one. */
  roots: file.optional(),
});

const mailDomain = z.strictObject({
  /** What is aimed at: enforcing is reached over testing, on evidence. */
  mode: z.enum(['enforce', 'testing', 'none']).default('enforce'),
  /** Hosts mail is to reach, in the order of preference. */
  mx: z.array(domain).max(100).default([]),
  /** Seconds, ascending: what max_age climbs through once enforced. */
  maxAges: z
    .array(seconds(1, 31_557_600))
    .min(1)
    .refine(
      (ages) => ages.every((age, i) => i === 0 || age > (ages[i - 1] ?? 0)),
      'do not rise: write them in ascending order',
    )
    .default([86_400, 604_800, 2_678_400]),
  /**
   * A domain of this configuration whose record and policy this one uses, by an alias
   * (RFC 8461 §8.2): then only `policyHost`, `reports` and `dns` count here.
   */
  sameAs: domain.optional(),
  /** Host whose addresses serve the policy: `mta-sts.DOMAIN` becomes its alias. */
  policyHost: domain.optional(),
  /** Of the records, seconds. */
  ttl: seconds(1, 86_400).default(3600),
  /** Where reports go: `mailto:` and `https:` URIs. */
  reports: z
    .array(
      z
        .string()
        .regex(
          /^(mailto:[^@\s,;!]+@[A-Za-z0-9.-]+|https:\/\/[A-Za-z0-9.-]+(:\d+)?(\/[^\s,;!]*)?)$/,
          'is no address for reports: write mailto:NAME@DOMAIN or https://HOST/PATH',
        ),
    )
    .default([]),
  dns: dnsName,
});

/** The section `publish` of `hermetic.yaml`: the desired state. */
export const publishSection = z
  .strictObject({
    /** Folder of the key ring: a folder for each host, a file for each key. */
    keys: file.default('/var/lib/hermetic/keys'),
    /** By MX host. */
    hosts: z.record(domain, mailHost.prefault({})).default({}),
    /** By domain. */
    domains: z.record(domain, mailDomain).default({}),
    dns: z.record(z.string(), dnsTarget).default({}),
    acme: acme.optional(),
    /** Domains whose signed TLS-RPT reports count as evidence. */
    reporters: z.array(domain).default(['google.com', 'microsoft.com']),
    /**
     * Days in testing without a reported failure, and signed reports needed in them,
     * before a policy is enforced.
     */
    days: z.int().min(0).max(365).default(14),
    leastReports: z.int().min(0).max(1000).default(3),
    /** Where the probe finds mail servers and policy hosts. */
    ports: z
      .strictObject({
        smtp: z.int().min(1).max(65_535).default(25),
        https: z.int().min(1).max(65_535).default(443),
      })
      .prefault({}),
    /**
     * Waits of seconds are allowed, to see the whole life of a policy in minutes: for
     * trying it out, never for mail that matters.
     */
    rehearsal: z.boolean().default(false),
    /** Policies are also written to this folder, for a web server of your own. */
    exportTo: file.optional(),
  })
  .superRefine((section, context) => {
    if (!section.rehearsal)
      refuseHaste(section, (path, message) => context.addIssue({ code: 'custom', path, message }));
    for (const [name, { certificates }] of Object.entries(section.hosts))
      if (certificates === 'acme' && !section.acme)
        context.addIssue({
          code: 'custom',
          path: ['hosts', name, 'certificates'],
          message: 'names a CA: describe it in publish.acme',
        });
    for (const [name, { certificates, files, rollKeysEvery }] of Object.entries(section.hosts)) {
      const at = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: ['hosts', name, key], message });
      if (certificates === 'files' && files.length === 0)
        at('files', 'is empty: name chain and key of each certificate');
      if (certificates !== 'files' && files.length > 0)
        at(
          'files',
          'is looked at with certificates from files alone: write certificates files, or leave it out',
        );
      if (certificates === 'files' && rollKeysEvery !== undefined)
        at(
          'rollKeysEvery',
          'cannot be kept: who brings the certificates makes their keys; leave it out',
        );
    }
    if (section.acme?.webroot !== undefined && section.acme.challenge !== 'http-01')
      context.addIssue({
        code: 'custom',
        path: ['acme', 'webroot'],
        message: 'is for http-01: write challenge http-01',
      });
    for (const [name, { mx, sameAs }] of Object.entries(section.domains)) {
      const at = (key: string, message: string): void =>
        context.addIssue({ code: 'custom', path: ['domains', name, key], message });
      const other = sameAs === undefined ? undefined : section.domains[sameAs];
      if (sameAs === undefined && mx.length === 0)
        at('mx', 'is empty: name every host that receives mail for the domain');
      if (sameAs !== undefined && (!other || other.sameAs !== undefined || sameAs === name))
        at('sameAs', 'is no domain with a policy of its own here: add it to publish.domains');
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
 * What senders keep for seconds protects nobody: an attacker waits until it is forgotten
 * (RFC 8461 §10.2).
 */
function refuseHaste(
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
    refuse(['days'], 'is too short: at least one day in testing comes before enforcing');
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

export type PublishSection = z.output<typeof publishSection>;
export type DesiredMailHost = PublishSection['hosts'][string];
export type DesiredMailDomain = PublishSection['domains'][string];
export type DnsTarget = PublishSection['dns'][string];
