import { z } from 'zod';
import { formatIp, parseDomain, parseIp } from '../base/index.js';

const domain = z.string().transform((text, context) => {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.value.toLower();
  context.addIssue({ code: 'custom', message: 'is not a domain: write sender.example.net' });
  return z.NEVER;
});

const address = z.string().transform((text, context) => {
  const parsed = parseIp(text);
  if (parsed) return formatIp(parsed);
  context.addIssue({ code: 'custom', message: 'is not an address: write 192.0.2.25' });
  return z.NEVER;
});

const addresses = z.array(address).min(1);

/** A /64 network, such as `2001:db8:25::/64`. */
const network = z.string().transform((text, context) => {
  const parsed = parseIp(text.replace(/\/64$/, ''));
  if (text.endsWith('/64') && parsed?.family === 6 && !parsed.bytes.subarray(8).some(Boolean))
    return formatIp(parsed);
  context.addIssue({ code: 'custom', message: 'is not a /64 network: write 2001:db8:25::/64' });
  return z.NEVER;
});

/**
 * The section `senderTest`: the public test of senders. The names of the test are
 * `<case>.<slot>.<zone>`.
 */
export const senderTestSection = z.strictObject({
  /**
   * The zone of the test: a dedicated domain, so that mail filters of other domains do
   * not process mail to the test.
   */
  zone: domain,
  /**
   * The names under which this daemon is a name server of the zone, with their addresses.
   */
  nameServers: z.record(domain, addresses).refine((all) => Object.keys(all).length > 0, {
    message: 'names no server: write ns1.sender.example.net: [192.0.2.53]',
  }),
  /**
   * IPv4 addresses of the mail hosts. With one address for each case, every case is
   * distinct before STARTTLS; with fewer addresses, cases of equal behaviour share an
   * address.
   */
  mailAddresses: z.array(address).default([]),
  /** An IPv6 network that is routed to this machine: an address for each case and slot. */
  mailNetwork: network.optional(),
  /** Addresses of the policy hosts, which are the addresses of the web port. */
  policyAddresses: addresses,
  /** Folder with the key of the zone and the keys of the mail hosts. */
  keys: z.string().min(1).default('/var/lib/hermetic/sender-test'),
  /** Address of the page, shown in refusals: `https://sender.example.net/sender`. */
  page: z.url({ protocol: /^https?$/ }).optional(),
  /** URI for TLS reports (RFC 8460): `mailto:` or `https:`. */
  reportUri: z
    .string()
    .regex(/^(mailto|https):[^\s;,!"\\]{3,200}$/, 'is not a URI: write mailto:tls@example.net')
    .optional(),
  /**
   * The CA of policy hosts and mail hosts (RFC 8555); the DNS server of this daemon
   * answers the challenges. Without a CA, cases with MTA-STS are not tested.
   */
  acme: z
    .strictObject({
      directory: z.url({
        protocol: /^https$/,
        error: 'is not an https URL: write the directory of the CA',
      }),
      /** Confirmation that the operator agrees to the CA's terms of service. */
      agreed: z.literal(true, { error: 'is missing: read the terms of the CA and write true' }),
      contact: z
        .array(
          z
            .string()
            .regex(
              /^mailto:[^@\s,;?]+@[A-Za-z0-9.-]+$/,
              'is not a contact: write mailto:NAME@DOMAIN',
            ),
        )
        .max(10)
        .default([]),
      /** A certificate profile of the CA, such as `shortlived`. */
      profile: z.string().min(1).max(64).optional(),
      preferredChain: z.string().min(1).max(256).optional(),
      /** PEM file with the root of the CA's own web server, if it is not a public root. */
      roots: z.string().min(1).optional(),
    })
    .optional(),
  /** Maximum number of slots that are allocated at a time. */
  slots: z.int().min(1).max(500).default(20),
  /** Maximum number of slots of one client at a time. */
  perClient: z.int().min(1).default(2),
  /** Hours for which a slot is allocated. */
  hours: z.int().min(1).max(720).default(72),
});
export type SenderTestSettings = z.output<typeof senderTestSection>;
