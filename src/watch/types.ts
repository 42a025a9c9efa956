import { z } from 'zod';
import type { CheckResult } from '../evidence/index.js';
import type { ReportAlert } from '../tls-rpt-receive/index.js';

const count = z.int().min(0);
/** Milliseconds since 1970. */
const time = z.number();

/** One fault of a domain, from the first check that found it to the end of its alarm. */
const faultSchema = z.strictObject({
  /** Rule and host: the same fault has the same key at every check. */
  key: z.string(),
  rule: z.string(),
  /** The row of the scorecard that contains the fault. */
  topic: z.string(),
  /** Domain, host, or `host [ip]`: every subject that the last certain check named. */
  subjects: z.array(z.string()),
  level: count,
  says: z.string(),
  todo: z.array(z.string()),
  since: time,
  /** Consecutive checks that found the fault. */
  seen: count,
  /**
   * Consecutive checks that found the fault at a higher level than the reported level.
   */
  higher: count,
  /** Checks in a row that proved the absence of the fault. */
  gone: count,
  /** The alarm that the fault belongs to; empty before the alarm. */
  alarm: z.string(),
  /**
   * Before the alarm: `1` for each of the last ten certain checks that found the fault,
   * else `0`.
   */
  trail: z.string().optional(),
  /** The fault is intermittent: its alarm ends after a day without the fault. */
  flaps: z.boolean().optional(),
  /** The first of the checks in a row that proved the absence of the fault. */
  goneSince: time.optional(),
});

/** A lower level of a protection that the operator accepted. */
const acceptedSchema = z.strictObject({
  rule: z.string(),
  /** The level before the loss, and the accepted level. */
  from: count,
  to: count,
  at: time,
  /** The account that accepted the level. */
  by: z.string(),
  reason: z.string().optional(),
});

/** Facts of the last certain check, for metrics. Times are milliseconds since 1970. */
const factsSchema = z.strictObject({
  /** For each host the certificate that expires first, over all addresses. */
  certificates: z.array(
    z.strictObject({ host: z.string(), role: z.enum(['mx', 'policy-host']), notAfter: time }),
  ),
  /** The signature that expires first; absent for an unsigned domain. */
  signatureNotAfter: time.optional(),
  /** Mode of the MTA-STS policy; `absent` if senders obtain none. */
  policyMode: z.enum(['enforce', 'testing', 'none', 'absent']),
});

/** The memory of one domain. */
const domainStateSchema = z.strictObject({
  lookedAt: time,
  /**
   * The last check with a certain result; before the first such check, the first check.
   */
  certainAt: time,
  /** Checks in a row without a certain result. */
  blind: count,
  verdict: z.string(),
  /** The first of the consecutive checks without a certain result. */
  blindSince: time.optional(),
  /** The last check was during maintenance. */
  silent: z.boolean().optional(),
  /** The alarm "not seen" is open. */
  unseen: z.boolean(),
  /** Identifies the open alarm "not seen". */
  unseenSince: time.optional(),
  /**
   * The best observed level of each protection, by rule; absent before the first certain
   * check.
   */
  best: z.record(z.string(), z.number()).optional(),
  /** The last known level of each protection. */
  levels: z.record(z.string(), z.number()).optional(),
  /** The last 50 acceptances, the oldest first. */
  accepted: z.array(acceptedSchema).optional(),
  /** Known warnings from the first certain check, which raise no alarm. */
  standing: z.array(z.string()),
  /** Alarms that ended within the last seven days, by the key of their faults. */
  ends: z.array(z.strictObject({ key: z.string(), at: time })).optional(),
  faults: z.array(faultSchema),
  /** Absent before the first certain check. */
  facts: factsSchema.optional(),
});

/** `hermetic.watch-state/1`: the memory of a watch, as a file and in the database. */
export const watchStateSchema = z.strictObject({
  schema: z.literal('hermetic.watch-state/1'),
  domains: z.record(z.string(), domainStateSchema),
  /** The outage of this machine's own resolver or network. */
  own: z.strictObject({
    /** Checks in a row that named a cause on this machine. */
    looks: count,
    since: time,
    open: z.boolean(),
  }),
});

/** Facts of the last certain check. */
export type WatchedFacts = z.output<typeof factsSchema>;
/** A lower level of a protection that the operator accepted. */
export type AcceptedLevel = z.output<typeof acceptedSchema>;
/** One fault of a domain. */
export type WatchedFault = z.output<typeof faultSchema>;
/** The memory of one domain. */
export type DomainState = z.output<typeof domainStateSchema>;
/** The memory of a watch. Immutable: a decision returns a new memory. */
export type WatchState = z.output<typeof watchStateSchema>;

/** The memory before the first check. */
export const emptyState: WatchState = {
  schema: 'hermetic.watch-state/1',
  domains: {},
  own: { looks: 0, since: 0, open: false },
};

/** One check of a domain. */
export interface WatchedCheck {
  /** A-label, no final dot. */
  readonly domain: string;
  /** Undefined: the check itself failed. */
  readonly result: CheckResult | undefined;
  /** Maintenance: the check counts, but reports no fault. */
  readonly silent?: boolean;
  /**
   * Start of the check, milliseconds since 1970. A check that began before the last check
   * of the domain ended does not count as a second check.
   */
  readonly began?: number;
}

/** An alarm: a fault began (`added`), became worse or ended. */
export interface WatchAlarm extends ReportAlert {
  /**
   * Identifier of the alarm, the same each time that the alarm is sent, so that receivers
   * recognise a repetition.
   */
  readonly id: string;
  /** A finding, a protection, `not-seen` or `cannot-see`. */
  readonly rule: string;
  /** `rule`, and the rules of the faults that began at the same check. */
  readonly rules: readonly string[];
  /** Further faults that began at the same check. */
  readonly also: readonly string[];
}
