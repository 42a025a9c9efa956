import type { Store } from '../../store/index.js';
import { MAX_DAY_SUM } from './migrations.js';

/** The counts that a policy of a report adds to the sums. */
export interface PolicySums {
  /** The policy domain; empty if the report names no domain. */
  readonly domain: string;
  readonly type: string;
  readonly ok: number;
  readonly failed: number;
}

/** The counts that one report adds to the sums. */
export interface ReportSums {
  readonly policies: readonly PolicySums[];
  readonly day: number;
  readonly authenticated: boolean;
}

/** The key of a row of `report_day`, and the numbers to add to the row. */
interface Line {
  readonly key: readonly [domain: string, day: number, type: string, authenticated: number];
  ok: number;
  failed: number;
  reports: number;
}

/**
 * The changes of the daily sums by a group of reports. They are applied in the
 * transaction of the group with one statement for each row of the table. A sum saturates
 * at `MAX_DAY_SUM`.
 */
export class Rollups {
  readonly #days = new Map<string, Line>();

  /** Adds the counts of a report. The report itself counts once, under the empty type. */
  add(reportSums: ReportSums): void {
    this.#count(reportSums, 1);
  }

  /** Subtracts counts that were added in this group or an earlier one. */
  remove(reportSums: ReportSums): void {
    this.#count(reportSums, -1);
  }

  /**
   * Adds or subtracts the counts of a report: for each domain, for all domains together,
   * and once for the report itself.
   */
  #count({ policies, day, authenticated }: ReportSums, sign: 1 | -1): void {
    const flag = authenticated ? 1 : 0;
    for (const { domain, type, ok, failed } of policies) {
      if (domain !== '') bump(this.#line(domain, day, type, flag), ok, failed, sign);
      bump(this.#line('', day, type, flag), ok, failed, sign);
    }
    bump(this.#line('', day, '', flag), 0, 0, sign);
  }

  /**
   * Returns the row of a key, and creates it on first use. The parts of the key are
   * separated by a zero octet, which no part contains.
   */
  #line(domainName: string, dayNumber: number, type: string, flag: 0 | 1): Line {
    const text = `${domainName}\0${dayNumber}\0${type}\0${flag}`;
    const known = this.#days.get(text);
    if (known) return known;
    const line: Line = { key: [domainName, dayNumber, type, flag], ok: 0, failed: 0, reports: 0 };
    this.#days.set(text, line);
    return line;
  }

  /** Adds the sums to the table, and yields regularly: a report can have many domains. */
  *apply(stateStore: Store): Generator<undefined, void> {
    let applied = 0;
    for (const { key, ok, failed, reports } of this.#days.values()) {
      stateStore.prepare(addLine).run(...key, ok, failed, reports);
      if (reports <= 0) stateStore.prepare(removeEmptyLine).run(...key);
      if (++applied % 100 === 0) yield;
    }
  }
}

/** Adds the counts of one policy to a row. */
function bump(line: Line, ok: number, failed: number, sign: 1 | -1): void {
  line.ok += sign * ok;
  line.failed += sign * failed;
  line.reports += sign;
}

const sum = (column: string): string =>
  `${column} = max(0, min(report_day.${column} + excluded.${column}, ${MAX_DAY_SUM}))`;
/**
 * SQL that adds to the row of a key, or inserts the row. Sums stay between 0 and the
 * limit, so that no report can overflow them.
 */
const addLine = `INSERT INTO report_day (domain, day, type, authenticated, ok, failed, reports)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (domain, day, type, authenticated)
  DO UPDATE SET ${['ok', 'failed', 'reports'].map(sum).join(', ')}`;
/**
 * SQL that deletes a row without reports. Otherwise a domain would be listed that no
 * stored report names.
 */
const removeEmptyLine = `DELETE FROM report_day
  WHERE domain = ? AND day = ? AND type = ? AND authenticated = ? AND reports <= 0`;
