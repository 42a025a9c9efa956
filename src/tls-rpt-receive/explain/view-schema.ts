import { z } from 'zod';

const text = z.string();
const texts = z.array(text);
const count = z.number().int().min(0);
const day = z.iso.date();

const kinds = z.array(z.strictObject({ type: text, successful: count, failed: count }));

/** The number of sessions. A session counts once, even if two policies applied to it. */
const sums = z.strictObject({ successful: count, failed: count });

const explanation = z.strictObject({
  result: text,
  policy: text,
  policyDomain: text,
  mode: text,
  host: text,
  addresses: texts,
  sessions: count,
  since: day,
  last: day,
  /**
   * False after every reporter that observed the failure has reported a later day without
   * it.
   */
  ongoing: z.boolean(),
  reporters: texts,
  networks: texts,
  says: text,
  reasons: z.array(z.strictObject({ text, means: text.optional() })),
  /**
   * `kept-back`: the mail is deferred. `reported`: the mail is delivered, because the
   * policy is in mode testing. `unprotected`: no policy in force required TLS.
   * `cached-policy`: the policy fetch failed, and a cached policy stayed in force.
   * `unknown`: the reporter does not name the mode that it applied.
   */
  fate: z.enum(['kept-back', 'reported', 'unprotected', 'cached-policy', 'unknown']),
  whose: z.enum(['yours', 'theirs', 'path', 'unclear']),
  because: text,
  /** The evidence that would prove the cause, if the cause is unclear. */
  settle: text.optional(),
  /** The certificate of the host in the check nearest in time to the failure. */
  certificate: z
    .strictObject({ names: texts, notBefore: text, notAfter: text, spkiSha256: text, seen: day })
    .optional(),
  todo: texts,
});

/** `hermetic.report-view/1`: the output of `hermetic report show DOMAIN --json`. */
export const domainViewSchema = z
  .strictObject({
    schema: z.literal('hermetic.report-view/1'),
    domain: text,
    from: day,
    to: day,
    generatedAt: z.iso.datetime(),
    status: z.enum(['well', 'failing', 'ended', 'no-reports']),
    reports: count,
    kinds,
    sessions: sums,
    /** The number of all sessions, and of the sessions under MTA-STS or DANE. */
    coverage: z.strictObject({ sessions: count, covered: count }),
    failures: z.array(explanation),
    timeline: z.array(
      z.strictObject({ day, ok: count, failed: count, reports: count, changes: texts }),
    ),
    seenPolicies: z.array(
      z.strictObject({
        reporter: text,
        last: day,
        state: z.enum(['current', 'other', 'unknown']),
        differences: texts,
      }),
    ),
    enforce: z.strictObject({
      answer: z.enum(['yes', 'not-yet', 'already', 'no-policy', 'unclear']),
      reasons: texts,
    }),
    quotedRecords: z.array(
      z.strictObject({
        domain: text,
        record: text,
        reporters: texts,
        last: day,
        published: z.union([z.boolean(), z.literal('unknown')]),
      }),
    ),
    arrivals: z.array(
      z.strictObject({
        reporter: text,
        days: count,
        last: day,
        state: z.enum(['fine', 'silent', 'irregular']),
      }),
    ),
    silent: z.boolean(),
    perhapsLoops: texts,
    reporters: z.array(z.strictObject({ reporter: text, reports: count, kinds, sessions: sums })),
    /** Reports without authentication, by source and day. No decision depends on them. */
    unauthenticated: z.array(
      z.strictObject({ day, source: text, reports: count, successful: count, failed: count }),
    ),
    /** Reports that are excluded from the sums, with the reason. */
    doubtful: z.array(
      z.strictObject({
        trust: text,
        reason: text.optional(),
        reporter: text,
        detail: text,
        reports: count,
        last: day.optional(),
      }),
    ),
    /**
     * Number of reports of these days that name no domain; counted only if no report
     * names this domain.
     */
    unnamed: count.optional(),
    /**
     * Number of reports that are authenticated only because the operator trusts a
     * mailbox.
     */
    trustedMailbox: count.optional(),
    repeated: count,
    reusedIds: count,
    /** Departures of reporters from RFC 8460. */
    repairs: z.array(z.strictObject({ reporter: text, code: text, reports: count, says: text })),
  })
  .meta({
    id: 'hermetic.report-view-1',
    title: 'hermetic.report-view/1',
    description: 'The conclusions from the TLS-RPT reports on a domain, and the next steps.',
  });

/** `hermetic.report-overview/1`: the output of `hermetic report show --json`. */
export const overviewSchema = z
  .strictObject({
    schema: z.literal('hermetic.report-overview/1'),
    from: day,
    to: day,
    domains: count,
    reports: count,
    kinds,
    failing: z.array(
      z.strictObject({
        domain: text,
        failed: count,
        successful: count,
        since: day,
        last: day,
        ongoing: z.boolean(),
      }),
    ),
    /** Reports without authentication. No decision depends on them. */
    unauthenticated: count,
    /** Items that are not reports, by transport and reason. */
    refused: z.array(z.strictObject({ via: text, code: text, refused: count })),
    uncounted: z.array(z.strictObject({ trust: text, reason: text.optional(), reports: count })),
    /**
     * Number of reports that are authenticated only because the operator trusts a
     * mailbox.
     */
    trustedMailbox: count.optional(),
  })
  .meta({
    id: 'hermetic.report-overview-1',
    title: 'hermetic.report-overview/1',
    description: 'Every domain with failures, worst first.',
  });
