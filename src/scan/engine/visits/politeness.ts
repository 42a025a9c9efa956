/**
 * The limits on contacts with the servers of other operators. They apply together to all
 * workers and scans of one database. Times are in milliseconds.
 */
export interface Politeness {
  /**
   * Pause between two connections to one address; doubled if the server limits
   * connections.
   */
  readonly spacingMs: number;
  /** Maximum connections to one address within a day (UTC). */
  readonly dailyBudget: number;
  /**
   * Pause between two fetches from a policy host address that answered the last fetch.
   */
  readonly webSpacingMs: number;
  /** Maximum fetches of policies from one address within a day (UTC). */
  readonly webDailyBudget: number;
  /** Maximum addresses of one network (IPv4 /24, IPv6 /48) contacted at the same time. */
  readonly perNetwork: number;
  /** Maximum connections that one visit may open. */
  readonly connectionsPerVisit: number;
  /** Maximum duration of a visit. */
  readonly visitMs: number;
  /**
   * Rest of an address after a worker crashed or stopped during a session, whose
   * connection may still be open. A server ends an idle session after five minutes or
   * more (RFC 5321 §4.5.3.2.7).
   */
  readonly abandonedMs: number;
  /** Maximum connections that one worker opens in a second. */
  readonly connectionsPerSecond: number;
  /** Maximum number of concurrent visits of one worker. */
  readonly maxInFlight: number;
  /** Share of new networks that may time out before the scan pauses. */
  readonly maxTimeouts: number;
}

const MINUTE = 60_000;

export const politeness: Politeness = {
  spacingMs: 5000,
  dailyBudget: 60,
  webSpacingMs: 50,
  webDailyBudget: 10_000,
  perNetwork: 4,
  connectionsPerVisit: 1,
  visitMs: 60_000,
  abandonedMs: 10 * MINUTE,
  connectionsPerSecond: 100,
  maxInFlight: 1000,
  maxTimeouts: 0.2,
};

/** Time that a lease lasts beyond the longest visit, for the writes after the visit. */
const LEASE_RESERVE_MS = 30_000;

/**
 * Returns the time for which a claimed network belongs to one worker, in milliseconds.
 */
export function leaseMs({ visitMs }: Politeness): number {
  return visitMs + Math.min(LEASE_RESERVE_MS, visitMs);
}
