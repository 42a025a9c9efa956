import { z } from 'zod';
import { parseIp, withinPrefix } from '../../base/index.js';
import { publishSection } from '../../publish/config.js';
import { postfixSection } from '../../send/adapters/postfix/settings.js';
import { reportSection } from '../../tls-rpt-receive/settings.js';
import { reportingSection } from '../../tls-rpt-send/settings.js';
import { senderTestSection } from '../../sender/settings.js';
import { pagesSection } from '../../web/settings.js';
import { listenAddresses, type ListenAddress } from '../listen-address.js';

const file = z.string().min(1);

/** The section `postfix`, with the addresses on which the socketmap listens. */
export const postfixSchema = postfixSection.extend({
  listen: listenAddresses.prefault('127.0.0.1:8461'),
});
export type PostfixJobSettings = z.output<typeof postfixSchema>;

/** The section `publish`, with the interval of its rounds. */
export const publishSchema = publishSection
  .safeExtend({
    /**
     * Minutes between two rounds of plan and apply. 0: the daemon only serves policies,
     * and the operator runs the rounds.
     */
    everyMinutes: z.number().min(0).max(1440).default(10),
    /** Maximum number of policy hosts whose certificates are in memory. */
    contexts: z.int().min(10).max(100_000).default(3000),
  })
  .superRefine(({ rehearsal, everyMinutes }, context) => {
    if (rehearsal || everyMinutes === 0 || everyMinutes >= 1) return;
    context.addIssue({
      code: 'custom',
      path: ['everyMinutes'],
      message: 'is too short: write at least 1, or 0 for manual rounds',
    });
  });
export type PublishJobSettings = z.output<typeof publishSchema>;

/** The section `report`, with the port and certificate of its SMTP intake. */
export const reportSchema = reportSection.extend({
  smtp: reportSection.shape.smtp
    .unwrap()
    .extend({
      listen: listenAddresses.prefault('0.0.0.0:25'),
      /** The certificate and key for STARTTLS. */
      certificate: z.strictObject({ chain: file, key: file }).optional(),
    })
    .optional(),
});
export type ReportJobSettings = z.output<typeof reportSchema>;

/**
 * The section `reporting`, with the address on which the job receives session results.
 */
export const reportingSchema = reportingSection.extend({
  /**
   * The addresses that accept lines of JSON. Each line is the result of one session:
   * `hermetic.outcome/1`, or an object in the format of libtlsrpt.
   */
  feed: listenAddresses.optional(),
});
export type ReportingJobSettings = z.output<typeof reportingSchema>;

/** The section `senderTest`, with its ports. */
export const senderTestSchema = senderTestSection.extend({
  /**
   * The DNS ports, UDP and TCP, on the addresses to which the zone is delegated. Without
   * this key, another server answers with the zones of `hermetic sender zone --static`.
   */
  dns: z
    .strictObject({
      listen: listenAddresses,
      /** Maximum number of answers over UDP to one network in a second. */
      perSecond: z.int().min(1).max(100_000).default(100),
    })
    .optional(),
  /** The mail hosts, on port 25 of all their addresses. */
  smtp: z
    .strictObject({
      listen: listenAddresses,
      /** Maximum number of concurrent connections. */
      connections: z.int().min(1).max(100_000).default(200),
    })
    .optional(),
});
export type SenderTestJobSettings = z.output<typeof senderTestSchema>;

/** The section `pages`, with its ports. */
export const pagesSchema = pagesSection.extend({
  /** The plain HTTP ports of the public pages, for a reverse proxy. */
  listen: listenAddresses.default([]),
  /**
   * The plain HTTP ports of the operator pages, on loopback. A reverse proxy must never
   * forward requests to them.
   */
  operatorPort: listenAddresses
    .refine(
      (all) => all.every(isLoopback),
      'is not a loopback address: write a port such as 8080, or 127.0.0.1:8080',
    )
    .default([]),
  /**
   * Maximum number of concurrent connections to each port. Pages that update themselves
   * may use half of these connections.
   */
  connections: z.int().min(2).max(100_000).default(500),
});
export type PagesJobSettings = z.output<typeof pagesSchema>;

/**
 * Returns whether an address is on this machine. The operator pages have no sign-in, so
 * other machines must not reach them.
 */
function isLoopback(listenAddress: ListenAddress): boolean {
  if (!('port' in listenAddress)) return false;
  const ipAddress = parseIp(listenAddress.address);
  if (!ipAddress) return false;
  return ipAddress.family === 4
    ? withinPrefix(ipAddress, '127.0.0.0', 8)
    : withinPrefix(ipAddress, '::1', 128);
}
