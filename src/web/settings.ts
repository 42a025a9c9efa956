import { z } from 'zod';
import { parseDomain, parseIp } from '../base/index.js';
import { roles } from './roles.js';

const address = z
  .string()
  .refine((text) => parseIp(text) !== undefined, 'is not an address: write 127.0.0.1 or ::1');

/** The limits of the public check. Each protects mail servers, this machine, or both. */
const limits = z
  .strictObject({
    /** Maximum number of concurrent checks. */
    running: z.int().min(1).max(100).default(8),
    /** Maximum number of queued checks. */
    waiting: z.int().min(0).max(10_000).default(100),
    /** Maximum number of checks that one client may start in an hour. */
    perClient: z.int().min(1).default(10),
    /** Maximum number of checks of names below one organisational domain in an hour. */
    perDomain: z.int().min(1).default(20),
    /** Maximum number of connections to one mail server in 24 hours. */
    perServer: z.int().min(1).default(60),
    /** Minutes for which a result is reused for the same domain. */
    reuseMinutes: z.int().min(0).default(15),
    /** Minutes until a domain may be checked again. */
    againMinutes: z.int().min(0).default(10),
    /** Seconds after which a check is stopped. */
    seconds: z.int().min(5).max(600).default(120),
  })
  .prefault({});

const domain = z.string().transform((text, context) => {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.value.toLower();
  context.addIssue({ code: 'custom', message: 'is not a domain: write the part after the @' });
  return z.NEVER;
});

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,60}$/, 'is not the name of a header: write letters, digits and hyphens')
  .toLowerCase();

/** A reverse proxy that identifies accounts. */
const proxy = z.strictObject({
  /** The addresses from which the proxy connects to this daemon. */
  addresses: z.array(address).min(1),
  /** A file with the secret that the proxy adds to each request. */
  secretFile: z.string().min(1),
  secretHeader: headerName.default('x-hermetic-secret'),
  userHeader: headerName.default('x-remote-user'),
  /** The name of the header with the groups of the account, separated by commas. */
  groupsHeader: headerName.default('x-remote-groups'),
});

const httpsUrl = z.url({
  protocol: /^https$/,
  error: 'is not an https URL: write https://id.example.com',
});

/** An OpenID provider that identifies accounts. */
const oidc = z.strictObject({
  issuer: httpsUrl,
  clientId: z.string().min(1),
  /** A file with the secret of the OpenID client. Without it the client is public. */
  clientSecretFile: z.string().min(1).optional(),
  /** The scheme and host of the URLs under which browsers open these pages. */
  origin: httpsUrl.transform((text) => new URL(text).origin),
  scope: z.string().default('openid email profile'),
  /**
   * The claim that contains the name of the account. `email` is accepted only if the
   * provider has verified it.
   */
  nameClaim: z.string().min(1).default('email'),
  groupsClaim: z.string().min(1).default('groups'),
  /** Minutes after which the provider must confirm the rights of a session again. */
  recheckMinutes: z.int().min(1).max(1440).default(15),
});

/**
 * The rights of accounts that a proxy or a provider has identified. The first matching
 * grant applies.
 */
const grant = z.strictObject({
  group: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  role: z.enum(roles),
  customers: z.array(z.string()).optional(),
});

/**
 * The settings of the sign-in: sessions, identity services, and the rights of their
 * accounts.
 */
const signIn = z.strictObject({
  /** Hours without a request after which a session ends. */
  idleHours: z.number().min(0.25).max(168).default(12),
  /** Days after which a session ends. */
  days: z.int().min(1).max(90).default(7),
  proxy: proxy.optional(),
  oidc: oidc.optional(),
  grants: z.array(grant).max(1000).default([]),
});

/** The settings of a part of the pages that uses the database of `hermetic scan`. */
const scanDatabase = z.strictObject({
  /** The URL of the database: `postgres://USER@HOST/NAME`. */
  database: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'is not a database: write postgres://USER@HOST/NAME')
    .refine(
      (url) => !/^[^/]*\/\/[^/@]*:[^/@]*@/.test(url),
      'contains a password: name a password file in the variable PGPASSFILE',
    ),
});

/**
 * The paths that accept reports and batches, whose bodies may be larger than other
 * bodies.
 */
export const REPORTS_PATH = '/api/v1/reports';
export const BATCHES_PATH = '/api/v1/batches';

/**
 * The section `pages` of the configuration, without its ports, which only the daemon
 * opens. Every key is optional.
 */
export const pagesSection = z.strictObject({
  /**
   * The host name of the check page on the HTTPS port (`web`). Default: that port does
   * not serve the page.
   */
  host: z
    .string()
    .regex(/^[a-z0-9.-]{1,253}$/, 'is not a host name: write it in lower case, without port')
    .optional(),
  /** The name of the operator that the pages show, such as `Example Hosting`. */
  operator: z.string().min(1).max(100).optional(),
  /** The address for requests of mail server operators. */
  contact: z.email().optional(),
  /** The name in EHLO, which should resolve to the address of this page. */
  helo: z.string().min(1).max(253).optional(),
  /** A file with hosts and addresses that are never contacted, one per line. */
  optOut: z.string().min(1).optional(),
  /** The addresses of reverse proxies whose `X-Forwarded-For` is trusted. */
  proxies: z.array(address).default([]),
  /** Number of days for which results stay available. */
  keepDays: z.int().min(1).max(3650).default(30),
  /**
   * With this section the operator pages require a sign-in, and are available on every
   * port.
   */
  signIn: signIn.optional(),
  /** Groups of domains by name. An account may be confined to some of these groups. */
  customers: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'is not a name: write letters, digits and hyphens'),
      z.array(domain).max(100_000),
    )
    .default({}),
  /** The database of scans whose statistics the pages show to everyone. */
  statistics: scanDatabase.optional(),
  /**
   * The database of scans with which checks share limits: together they contact a mail
   * server one at a time, within one daily budget.
   */
  sharedLimits: scanDatabase.optional(),
  limits,
});

/** The settings of the pages, with default values. */
export type PagesSettings = z.output<typeof pagesSection>;
