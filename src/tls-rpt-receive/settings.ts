import { z } from 'zod';
import { parseDomain } from '../base/index.js';
import { parseNextHop } from '../tls-policy/index.js';

/** A domain name, as an A-label in lower case. */
export const domainField = z.string().transform((text, context) => {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.value.toLower();
  context.addIssue({ code: 'custom', message: 'is not a domain: write it as example.com' });
  return z.NEVER;
});
const mailbox = z
  .string()
  .regex(/^[^@\s]+@[^@\s]+$/, 'is no mail address: write it as tlsrpt@example.com');
const mailServer = z
  .string()
  .refine(
    (text) => parseNextHop(`[${text}]`).ok,
    'is neither the name of a mail server nor an address',
  );
const https = z.string().regex(/^https:\/\/\S+$/, 'is no https address');

/** The channels that alerts are sent to. */
export const alertChannelFields = {
  webhook: https.optional(),
  mail: z
    .strictObject({
      from: mailbox,
      to: mailbox,
      server: mailServer,
      port: z.int().min(1).max(65_535).default(25),
    })
    .optional(),
};

/** The section `report` of `hermetic.yaml`, but for `smtp.listen` and the certificate. */
export const reportSection = z.strictObject({
  /**
   * Domains whose reports count, with those below them. Mail hosts with DANE are separate
   * policy domains.
   */
  domains: z.array(domainField).min(1, 'name at least one domain'),
  /** Intake on the shared web port: `rua=https://HOST/PATH`. */
  https: z
    .strictObject({ host: domainField, path: z.string().startsWith('/').default('/tlsrpt') })
    .optional(),
  /**
   * Intake by mail: `rua=mailto:RECIPIENT`. Where port 25 is taken, pipe mail into
   * `hermetic report import` instead.
   */
  smtp: z
    .strictObject({
      recipients: z.array(mailbox).min(1),
      /** Name in the greeting. Default: the first recipient's domain. */
      name: domainField.optional(),
      connections: z.int().min(1).max(10_000).default(100),
    })
    .optional(),
  /** Octets of one report unpacked. */
  maxBytes: z.int().min(100_000).max(100_000_000).default(10_000_000),
  /** Reports that one address may send in a minute. */
  perMinute: z.int().min(1).max(1_000_000).default(600),
  /** Days that reports are kept; their daily sums stay. */
  keepDays: z.int().min(7).max(36_500).default(400),
  /**
   * Hours between two checks of each domain, by which failures are explained. 0: never.
   */
  checkHours: z.int().min(0).max(720).default(24),
  alerts: z
    .strictObject({
      ...alertChannelFields,
      /** Hours after the end of a day until missing reports are an alarm. */
      silenceHours: z.int().min(24).max(720).default(36),
    })
    .optional(),
});

/** The `report` section of the configuration, checked and with defaults. */
export type ReportSettings = z.output<typeof reportSection>;
