import type { Clock } from '../base/index.js';
import type { SharedAddresses, SharedContact } from '../check/index.js';
import type { AddressEvidence } from '../evidence/index.js';
import type { HeldAddress } from '../scan/index.js';
import { ScanDatabase } from './scan-database.js';

/** Milliseconds that a check waits for a mail server to which a scan is connected. */
const MAX_WAIT_MS = 20_000;
/** Maximum number of checks that query the database at the same time. */
const MAX_CONNECTIONS = 4;
/**
 * Milliseconds added to the longest check; a reservation that was not returned by then is
 * released.
 */
const RESERVE_MS = 60_000;

export interface SharedLimits {
  /** The URL of the database of scans. */
  readonly url: string;
  /**
   * Maximum number of connections to one address on a day (UTC), including those of
   * scans.
   */
  readonly dailyBudget: number;
  /** Maximum duration of a check in milliseconds. */
  readonly longestMs: number;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly onError: (error: Error) => void;
}

/** The shared limits with an open connection to the database. */
export interface OpenSharedAddresses extends SharedAddresses {
  close(): Promise<void>;
}

/**
 * Returns the limits per address that checks share with scans, in the database of the
 * scans. While the database does not answer, checks contact no mail server: another check
 * or scan may be connected to it, or the daily budget may be used up.
 */
export function sharedAddresses(limits: SharedLimits): OpenSharedAddresses {
  const { url, dailyBudget, longestMs, clock, onError } = limits;
  const database = new ScanDatabase(url, MAX_CONNECTIONS, onError);
  const end = async (
    held: HeldAddress,
    connections: number,
    evidence: AddressEvidence | undefined,
  ): Promise<void> => {
    const { judgeContact, politeness, returnAddress } = await import('../scan/index.js');
    const { standing, pauseMs, reason } = judgeContact(held.standing, evidence, politeness);
    await returnAddress(await database.open(), held, { connections, pauseMs, standing, reason });
  };
  return {
    async take({ hostName, address, connections }) {
      const until = clock.monotonic() + MAX_WAIT_MS;
      try {
        const { politeness, takeAddress } = await import('../scan/index.js');
        for (;;) {
          const taken = await takeAddress(await database.open(), {
            ...{ table: 'address', address, names: [hostName], connections, dailyBudget },
            holdMs: Math.max(politeness.abandonedMs, longestMs + RESERVE_MS),
          });
          if (taken.kind === 'held') return contactOf(taken);
          if (taken.kind === 'opted-out') return { refused: 'opt-out' };
          const ms = taken.kind === 'later' ? taken.ms : Infinity;
          if (clock.monotonic() + ms >= until) return { refused: 'net-budget' };
          await clock.sleep(ms);
        }
      } catch (error) {
        onError(error as Error);
        return { refused: 'net-budget' };
      }
    },
    close: () => database.close(),
  };

  function contactOf(held: HeldAddress): SharedContact {
    const { connections } = held;
    // If returning the address fails, the address stays reserved until the reservation
    // expires.
    return { connections, end: (used, evidence) => end(held, used, evidence).catch(onError) };
  }
}
