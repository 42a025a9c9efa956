import { z } from 'zod';
import { parseDomain, parseIp } from '../base/index.js';
import { parseNextHop } from '../tls-policy/index.js';

/** A domain name, as an A-label in lower case. */
export const domainField = z.string().transform((text, context) => {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.value.toLower();
  context.addIssue({ code: 'custom', message: 'is not a domain: write it as example.com' });
  return z.NEVER;
});

/** A mail address. */
export const mailbox = z
  .string()
  .regex(/^[^@\s]+@[^@\s]+$/, 'is not a mail address: write it as tlsrpt@example.com');
const mailServer = z
  .string()
  .refine(
    (text) => parseNextHop(`[${text}]`).ok,
    'is neither the name of a mail server nor an address',
  );
const https = z.string().regex(/^https:\/\/\S+$/, 'is not an https address');

/** The settings of the channels for alerts. */
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

/** The settings of an IMAP folder from which reports are read. */
const mailboxSettings = z
  .strictObject({
    /** The name of the IMAP server, which its certificate must contain. */
    server: domainField,
    /**
     * The address to which the daemon connects, instead of the addresses in DNS. The
     * daemon connects to a private address only if it is set here.
     */
    address: z
      .string()
      .refine((text) => parseIp(text) !== undefined, 'is not an IP address')
      .optional(),
    /** The port, with TLS from the first octet (RFC 8314). */
    port: z.int().min(1).max(65_535).default(993),
    user: z.string().min(1).max(320),
    /** A file with the password. */
    password: z.string().min(1).optional(),
    /** A program with its arguments that prints an access token of OAuth 2.0. */
    tokenCommand: z.array(z.string().min(1)).min(1).optional(),
    folder: z.string().min(1).max(1000).default('INBOX'),
    /** The action for a mail whose reports are stored. Other mail always stays. */
    after: z.enum(['keep', 'move', 'delete']).default('keep'),
    /** The folder for `after: move`. */
    moveTo: z.string().min(1).max(1000).optional(),
    /** Minutes between two rounds if the server announces no mail. */
    pollMinutes: z.number().min(1).max(1440).default(10),
    /**
     * Whether reports without a verifiable signature count, for an archive whose DKIM
     * keys were withdrawn. Every view mentions these reports.
     */
    trusted: z.boolean().default(false),
  })
  .superRefine(({ password, tokenCommand, after, moveTo, folder }, context) => {
    const complain = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if ((password === undefined) === (tokenCommand === undefined))
      complain('password', 'give either the file of a password, or a tokenCommand');
    if (after === 'move' && moveTo === undefined)
      complain('moveTo', 'is missing: name the folder for processed mails');
    if (after !== 'move' && moveTo !== undefined)
      complain('moveTo', 'has no effect: write after: move, or remove it');
    if (moveTo === folder)
      complain('moveTo', 'is the folder that the daemon reads: name another folder');
  });
export type MailboxSettings = z.output<typeof mailboxSettings>;

/** The section `report` of `hermetic.yaml`, except `smtp.listen` and the certificate. */
export const reportSection = z.strictObject({
  /**
   * The domains, with their subdomains, for which reports are accepted. Under DANE, mail
   * hosts are separate policy domains.
   */
  domains: z.array(domainField).min(1, 'name at least one domain'),
  /** The intake on the shared web port, for a record with `rua=https://HOST/PATH`. */
  https: z
    .strictObject({ host: domainField, path: z.string().startsWith('/').default('/tlsrpt') })
    .optional(),
  /**
   * The intake by mail, for a record with `rua=mailto:RECIPIENT`. If port 25 is in use,
   * pipe mail into `hermetic report import` instead.
   */
  smtp: z
    .strictObject({
      recipients: z.array(mailbox).min(1),
      /** The host name in the greeting. Default: the domain of the first recipient. */
      name: domainField.optional(),
      connections: z.int().min(1).max(10_000).default(100),
    })
    .optional(),
  /** The intake from IMAP folders, for domains whose mail is hosted elsewhere. */
  mailboxes: z
    .array(mailboxSettings)
    .max(100)
    .refine(
      (all) => new Set(all.map(mailboxName)).size === all.length,
      'names one folder twice: remove one of them',
    )
    .default([]),
  /** Maximum octets of an unpacked report. */
  maxBytes: z.int().min(100_000).max(100_000_000).default(10_000_000),
  /** Maximum number of reports from one address in a minute. */
  perMinute: z.int().min(1).max(1_000_000).default(600),
  /** Number of days for which reports are stored; their daily sums are never deleted. */
  keepDays: z.int().min(7).max(36_500).default(400),
  /**
   * Hours between two checks of each domain, whose results explain failures. 0: never.
   */
  checkHours: z.int().min(0).max(720).default(24),
  alerts: z
    .strictObject({
      ...alertChannelFields,
      /** Hours after the end of a day until missing reports cause an alert. */
      silenceHours: z.int().min(24).max(720).default(36),
    })
    .optional(),
});

/** Returns the name of a mailbox in logs, metrics and reports. */
export function mailboxName({
  user,
  server,
  folder,
}: Pick<MailboxSettings, 'user' | 'server' | 'folder'>): string {
  return `imap:${user}@${server}/${folder}`;
}

/** The section `report` of the configuration, validated and with default values. */
export type ReportSettings = z.output<typeof reportSection>;
