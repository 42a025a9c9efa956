import { z } from 'zod';
import { parseDomain, parseIp } from '../base/index.js';
import { roles } from './roles.js';

const address = z
  .string()
  .refine((text) => parseIp(text) !== undefined, 'is not an address: write 127.0.0.1 or ::1');

/** Limits of the public check. Each protects mail servers, this machine, or both. */
const limits = z
  .strictObject({
    /** Maximum number of concurrent checks. */
    running: z.int().min(1).max(100).default(8),
    /** Maximum number of queued checks. */
    waiting: z.int().min(0).max(10_000).default(100),
    /** Checks that one client may start in an hour. */
    perClient: z.int().min(1).default(10),
    /** Checks of names of one organisational domain in an hour. */
    perDomain: z.int().min(1).default(20),
    /** Connections to one mail server in 24 hours. */
    perServer: z.int().min(1).default(60),
    /** Minutes for which a result is reused for the same domain. */
    reuseMinutes: z.int().min(0).default(15),
    /** Minutes until a domain may be checked again. */
    againMinutes: z.int().min(0).default(10),
    /** Seconds until a check is stopped. */
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
  /** Addresses of the proxy, as peers of this daemon. */
  addresses: z.array(address).min(1),
  /** File with the secret that the proxy adds to each request. */
  secretFile: z.string().min(1),
  secretHeader: headerName.default('x-hermetic-secret'),
  userHeader: headerName.default('x-remote-user'),
  /** Groups, separated by commas. */
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
  /** File with the secret of the client. Without it the client is public. */
  clientSecretFile: z.string().min(1).optional(),
  /** Scheme and host of these pages, as browsers see them. */
  origin: httpsUrl.transform((text) => new URL(text).origin),
  scope: z.string().default('openid email profile'),
  /** The claim that names the account. `email` counts only if it is verified. */
  nameClaim: z.string().min(1).default('email'),
  groupsClaim: z.string().min(1).default('groups'),
  /** Minutes after which the provider has to confirm the rights of a session again. */
  recheckMinutes: z.int().min(1).max(1440).default(15),
});

/**
 * The rights of accounts that a proxy or a provider has identified. The first matching
 * grant counts.
 */
const grant = z.strictObject({
  group: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  role: z.enum(roles),
  customers: z.array(z.string()).optional(),
});

/** The accounts that may sign in. */
const signIn = z.strictObject({
  /** Hours without a request until a session ends. */
  idleHours: z.number().min(0.25).max(168).default(12),
  /** Days until a session ends. */
  days: z.int().min(1).max(90).default(7),
  proxy: proxy.optional(),
  oidc: oidc.optional(),
  grants: z.array(grant).max(1000).default([]),
});

/** A part of the pages that uses the database of `hermetic scan`. */
const scanDatabase = z.strictObject({
  /** The database: `postgres://USER@HOST/NAME`. */
  database: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'is not a database: write postgres://USER@HOST/NAME')
    .refine(
      (url) => !/^[^/]*\/\/[^/@]*:[^/@]*@/.test(url),
      'contains a password: name a password file in the variable PGPASSFILE',
    ),
});

/** The paths that accept reports and batches. Their bodies are larger than others. */
export const REPORTS_PATH = '/api/v1/reports';
export const BATCHES_PATH = '/api/v1/batches';

/**
 * The section `pages` of the configuration, without its ports: only the daemon listens.
 * Every key has a default.
 */
export const pagesSection = z.strictObject({
  /** The name of the check page on the HTTPS port (`web`). Default: not served there. */
  host: z
    .string()
    .regex(/^[a-z0-9.-]{1,253}$/, 'is not a host name: write it in lower case, without port')
    .optional(),
  /** The name of the operator on the page, such as `Example Hosting`. */
  operator: z.string().min(1).max(100).optional(),
  /** The address for requests of mail server operators. */
  contact: z.email().optional(),
  /** The name in EHLO. It should resolve to this page. */
  helo: z.string().min(1).max(253).optional(),
  /** Hosts and addresses that are never contacted, one per line. */
  optOut: z.string().min(1).optional(),
  /** Reverse proxies of which `X-Forwarded-For` is trusted. */
  proxies: z.array(address).default([]),
  /** Days for which results stay available. */
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
  /** Shows the statistics of finished scans to everyone. */
  statistics: scanDatabase.optional(),
  /**
   * Checks and scans together contact a mail server one at a time, and share one daily
   * budget.
   */
  sharedLimits: scanDatabase.optional(),
  limits,
});

/** The settings of the pages, with defaults. */
export type PagesSettings = z.output<typeof pagesSection>;
