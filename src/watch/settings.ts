import { z } from 'zod';
import { alertChannelFields, domainField, mailbox } from '../tls-rpt-receive/settings.js';

/**
 * Times include a time zone, so that a silence does not depend on the time zone of the
 * machine.
 */
const time = z.iso.datetime({
  offset: true,
  error: 'is not a time: write it as 2026-12-31T00:00:00Z',
});

/** The receivers of the digest of one customer. */
const customerReceivers = z
  .strictObject({
    /**
     * A mail address. The daemon sends the mail through the server of
     * `watch.notify.mail`.
     */
    to: mailbox.optional(),
    webhook: alertChannelFields.webhook,
  })
  .refine(
    ({ to, webhook }) => to !== undefined || webhook !== undefined,
    'has no receiver: write to, webhook or both',
  );

/** The times of the digest, in UTC, and its further receivers. */
const digestSection = z
  .strictObject({
    every: z.enum(['day', 'week']),
    /** Only for a weekly digest; Monday by default. */
    day: z
      .enum(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'])
      .optional(),
    hour: z.int().min(0).max(23).default(7),
    /**
     * The receivers of digests for groups of `pages.customers`, by group. Each digest
     * contains the domains of one group.
     */
    customers: z.record(z.string(), customerReceivers).default({}),
  })
  .refine(({ every, day }) => every === 'week' || day === undefined, {
    path: ['day'],
    message: 'has no effect: write every: week, or remove it',
  });
export type DigestSection = z.output<typeof digestSection>;
/** The times of a digest. */
export type DigestSchedule = Pick<DigestSection, 'every' | 'day' | 'hour'>;

/** The section `watch` of `hermetic.yaml`. */
export const watchSection = z.strictObject({
  domains: z.array(domainField).min(1, 'name at least one domain').max(1000),
  /**
   * Hours between two checks of a domain. A check that needs confirmation is repeated
   * sooner.
   */
  everyHours: z.number().min(1).max(720).default(6),
  /** The receivers of alarms. Without a receiver, the daemon logs alarms. */
  notify: z.strictObject(alertChannelFields).prefault({}),
  /** A summary to the receivers of alarms, even without changes. Off by default. */
  digest: digestSection.optional(),
  /** Maintenance: no alarm on a domain between two times. */
  silence: z
    .array(
      z.strictObject({ domain: domainField, from: time, until: time, reason: z.string().min(1) }),
    )
    .default([]),
});

/** The section after validation, with every default filled in. */
export type WatchSettings = z.output<typeof watchSection>;
