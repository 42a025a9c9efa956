import { z } from 'zod';
import type { CheckResult } from '../evidence/index.js';
import type { ReportAlert } from '../tls-rpt-receive/index.js';

const count = z.int().min(0);
/** Milliseconds since 1970. */
const time = z.number();

/** One fault of a domain, from the first look that found it to the end of its alarm. */
const faultSchema = z.strictObject({
  /** Rule and host: the same fault has the same key at every look. */
  key: z.string(),
  rule: z.string(),
  /** The row of the scorecard. */
  topic: z.string(),
  /** Domain, host, or `host [ip]`: every subject that the last certain look named. */
  subjects: z.array(z.string()),
  level: count,
  says: z.string(),
  todo: z.array(z.string()),
  since: time,
  /** Consecutive looks that found the fault. */
  seen: count,
  /** Consecutive looks that found it at a higher level than the reported one. */
  higher: count,
  /** Looks in a row that proved its absence. */
  gone: count,
  /** The alarm that it belongs to; empty before the alarm. */
  alarm: z.string(),
});

/** Facts of the last certain look, for metrics. Times are milliseconds since 1970. */
const factsSchema = z.strictObject({
  /** For each host the certificate that ends first, over all addresses. */
  certificates: z.array(
    z.strictObject({ host: z.string(), role: z.enum(['mx', 'policy-host']), notAfter: time }),
  ),
  /** The signature that ends first; absent for an unsigned domain. */
  signatureNotAfter: time.optional(),
  /** Mode of the MTA-STS policy; `absent` where senders obtain none. */
  policyMode: z.enum(['enforce', 'testing', 'none', 'absent']),
});

/** The memory of one domain. */
const domainStateSchema = z.strictObject({
  lookedAt: time,
  /** The last look with a certain result; before the first one, the first look. */
  certainAt: time,
  /** Looks in a row without a certain result. */
  blind: count,
  verdict: z.string(),
  /** The first look without a certain result, of those in a row. */
  blindSince: time.optional(),
  /** The last look fell into maintenance. */
  silent: z.boolean().optional(),
  /** The alarm "not seen" is open. */
  unseen: z.boolean(),
  /** Identifies the open alarm "not seen". */
  unseenSince: time.optional(),
  /** The best protection that was seen, by rule; absent before the first certain look. */
  best: z.record(z.string(), z.number()).optional(),
  /** Warnings that the first certain look found: known, and not alarms. */
  standing: z.array(z.string()),
  faults: z.array(faultSchema),
  /** Absent before the first certain look. */
  facts: factsSchema.optional(),
});

/** `hermetic.watch-state/1`: the memory of a watch, as a file and in the database. */
export const watchStateSchema = z.strictObject({
  schema: z.literal('hermetic.watch-state/1'),
  domains: z.record(z.string(), domainStateSchema),
  /** The outage of this machine's own resolver or network. */
  own: z.strictObject({
    /** Looks in a row that named a cause on this machine. */
    looks: count,
    since: time,
    open: z.boolean(),
  }),
});

/** Facts of the last certain look. */
export type WatchedFacts = z.output<typeof factsSchema>;
/** One fault of a domain. */
export type WatchedFault = z.output<typeof faultSchema>;
/** The memory of one domain. */
export type DomainState = z.output<typeof domainStateSchema>;
/** The memory of a watch. Treated as a value: a decision returns a new one. */
export type WatchState = z.output<typeof watchStateSchema>;

/** The memory before the first look. */
export const emptyState: WatchState = {
  schema: 'hermetic.watch-state/1',
  domains: {},
  own: { looks: 0, since: 0, open: false },
};

/** One look at a domain. */
export interface Look {
  /** A-label, no final dot. */
  readonly domain: string;
  /** Undefined: the check itself failed. */
  readonly result: CheckResult | undefined;
  /** Maintenance: the look is remembered, and reports nothing. */
  readonly silent?: boolean;
  /**
   * Begin of the check, milliseconds since 1970. A check that began before the last one of
   * the same domain ended is no second look.
   */
  readonly began?: number;
}

/** An alarm: a fault began (`added`), became worse or ended. */
export interface WatchAlarm extends ReportAlert {
  /**
   * The same each time that the alarm is sent: receivers recognise a repetition by it.
   */
  readonly id: string;
  /** A finding, a protection, `not-seen` or `cannot-see`. */
  readonly rule: string;
  /** `rule`, and the rules of the faults that began at the same check. */
  readonly rules: readonly string[];
  /** Further faults that began at the same look. */
  readonly also: readonly string[];
}
