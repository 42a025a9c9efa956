import { z } from 'zod';
import { parseMailbox } from '../smtp/index.js';

const domainName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'is not a domain name');
const contact = z.string().refine((address) => {
  const mailbox = parseMailbox(address);
  return mailbox.ok && !mailbox.value.literal && !mailbox.value.utf8;
}, 'is not a mail address: write it as tls-reports@example.com');

/**
 * The section `reporting` of `hermetic.yaml`, except the address of the feed. The section
 * contains the identity of the reporter, and limits for receivers of reports.
 */
export const reportingSection = z.strictObject({
  /** Name of the organisation that operates the sending servers. */
  organization: z.string().min(1).max(200),
  /**
   * Mail address for questions about reports. The domain of the address is the reporter's
   * domain.
   */
  contact,
  /**
   * The DKIM key that signs report mail: domain (default: the domain of `contact`),
   * selector, and PEM file.
   */
  dkim: z
    .strictObject({ domain: domainName.optional(), selector: domainName, key: z.string().min(1) })
    .optional(),
  /** True to read datagrams of libtlsrpt from the socket that systemd passes. */
  datagrams: z.boolean().default(false),
  /** Number of hours over which the reports of a day are spread. */
  spreadHours: z.number().min(0).max(20).default(4),
  /**
   * Maximum number of reports in a day to one receiver, an organisational domain. Any
   * domain can name a receiver in its record without the receiver's consent (RFC 8460
   * §7).
   */
  perReceiver: z.int().min(1).max(1_000_000).default(10),
  /** Higher limits for services that analyse reports, as in `{example.net: 5000}`. */
  receivers: z.record(domainName, z.int().min(0).max(1_000_000)).default({}),
  /** The host name in EHLO. Default: the domain of `contact`. */
  helo: domainName.optional(),
});

export type ReportingSettings = z.output<typeof reportingSection>;
