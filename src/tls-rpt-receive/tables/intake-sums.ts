import type { Store } from '../../store/index.js';
import { isAuthenticated } from '../types.js';
import type { PreparedReport } from './prepare-report.js';

/**
 * Maximum amount of unauthenticated reports that are stored in one day, since any client
 * can send them.
 */
export interface IntakeLimit {
  readonly reports: number;
  /** Number of rows of policies and failures. */
  readonly rows: number;
  /** Number of octets of the reports as received. */
  readonly octets: number;
}

/** The amount of reports that were stored on one day. */
interface Sums {
  reports: number;
  rows: number;
  octets: number;
}

const dayMs = 86_400_000;

/**
 * A counter of the reports in a group, by day of arrival, separately for authenticated
 * and unauthenticated reports. `apply` writes the sums in the transaction of the group.
 */
export class IntakeSums {
  readonly #added = new Map<string, Sums & { readonly key: readonly [number, 0 | 1] }>();
  readonly #known = new Map<number, Sums>();

  constructor(
    private readonly store: Store,
    private readonly limit: IntakeLimit | undefined,
  ) {}

  /** Returns whether a report may still be stored within the limit of its day. */
  hasRoom(preparedReport: PreparedReport): boolean {
    if (!this.limit || preparedReport.via === 'file' || isAuthenticated(preparedReport.trust))
      return true;
    const dayNumber = Math.floor(preparedReport.receivedAt / dayMs);
    const known = this.#knownOn(dayNumber);
    const added = this.#added.get(`${dayNumber} 0`);
    const { reports, rows, octets } = this.limit;
    return (
      known.reports + (added?.reports ?? 0) < reports &&
      known.rows + (added?.rows ?? 0) < rows &&
      known.octets + (added?.octets ?? 0) < octets
    );
  }

  /** Counts a report that was stored. */
  add({ receivedAt, trust, policies, failures, raw }: PreparedReport): void {
    const key = [Math.floor(receivedAt / dayMs), isAuthenticated(trust) ? 1 : 0] as const;
    const sums = this.#added.get(key.join(' ')) ?? { key, reports: 0, rows: 0, octets: 0 };
    sums.reports++;
    sums.rows += policies.length + failures.length;
    sums.octets += raw.length;
    this.#added.set(key.join(' '), sums);
  }

  /** Writes the sums of this group; the caller opens and commits the transaction. */
  apply(): void {
    for (const { key, reports, rows, octets } of this.#added.values())
      this.store.prepare(addSums).run(...key, reports, rows, octets);
  }

  /**
   * Returns the amount that was stored on a day before this group; reads it only once.
   */
  #knownOn(dayNumber: number): Sums {
    const known = this.#known.get(dayNumber);
    if (known) return known;
    const found = this.store
      .prepare<Sums>(
        'SELECT reports, entries AS rows, octets FROM report_intake WHERE day = ? AND authenticated = 0',
      )
      .get(dayNumber) ?? { reports: 0, rows: 0, octets: 0 };
    this.#known.set(dayNumber, found);
    return found;
  }
}

const sum = (column: string): string => `${column} = report_intake.${column} + excluded.${column}`;
const addSums = `INSERT INTO report_intake (day, authenticated, reports, entries, octets)
  VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, authenticated)
  DO UPDATE SET ${['reports', 'entries', 'octets'].map(sum).join(', ')}`;
