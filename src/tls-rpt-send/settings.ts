import { z } from 'zod';
import { parseMailbox } from '../smtp/index.js';

const name = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'is no domain name');
const contact = z.string().refine((text) => {
  const mailbox = parseMailbox(text);
  return mailbox.ok && !mailbox.value.literal && !mailbox.value.utf8;
}, 'is no mail address: write it as tls-reports@example.com');

/**
 * The section `reporting` of `hermetic.yaml`, but for where the feed listens: whom to
 * tell of TLS failures, and as whom.
 */
export const reportingSection = z.strictObject({
  /** Name of who sends the mail. */
  organization: z.string().min(1).max(200),
  /** Address for questions; its domain is the reporter's. */
  contact,
  /**
   * Key that signs report mail: its domain (default: that of `contact`), selector, and
   * the PEM file of the key.
   */
  dkim: z
    .strictObject({ domain: name.optional(), selector: name, key: z.string().min(1) })
    .optional(),
  /** Take datagrams of libtlsrpt from the socket that systemd hands over. */
  datagrams: z.boolean().default(false),
  /** Hours over which the reports of a day are spread. */
  spreadHours: z.number().min(0).max(20).default(4),
  /**
   * Reports that one receiver, by organisational domain, is sent on a day: nobody asked
   * it whether it wants them.
   */
  perReceiver: z.int().min(1).max(1_000_000).default(10),
  /**
   * Receivers that may have more, such as services that read reports for many:
   * `{example.net: 5000}`.
   */
  receivers: z.record(name, z.int().min(0).max(1_000_000)).default({}),
  /** Name said in EHLO. Default: the domain of `contact`. */
  helo: name.optional(),
});

export type ReportingSettings = z.output<typeof reportingSection>;
