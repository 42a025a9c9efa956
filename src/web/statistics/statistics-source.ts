/**
 * The statistics of finished scans, as the pages show them. The daemon reads them from the
 * database of the scans: this part knows neither the database nor the scan.
 */
export interface StatisticsSource {
  /**
   * Returns the finished scans, newest first. Rejects while the database is unreachable.
   */
  scans(): Promise<readonly FinishedScan[]>;
  /** Returns the numbers of a finished scan; undefined for another number. */
  numbers(scan: number): Promise<ScanNumbers | undefined>;
}

export interface FinishedScan {
  readonly id: number;
  readonly list: string;
  /** The citation of a published list; may be empty. */
  readonly citedAs: string;
  readonly domains: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** A number with its base. Neither includes the unknown units. */
export interface UnitCount {
  readonly n: number;
  readonly of: number;
  readonly unknown: number;
}

/** One number of the statistics, counted in three units. */
export interface PageNumber {
  readonly id: string;
  /** The property, as the end of "domains ...". */
  readonly says: string;
  /** The domains that form the base, as the end of "of the domains ...". */
  readonly of: string;
  readonly domains: UnitCount;
  readonly mailHosts: UnitCount;
  readonly operators: UnitCount;
}

export interface NumbersPage {
  readonly name: string;
  readonly numbers: readonly PageNumber[];
}

/** Visits of the scan, and the measured error of the inferred results. */
export interface ScanMethod {
  readonly visited: number;
  readonly inferred: number;
  /** Without an answer: refused, silent, or left out of a sample. */
  readonly unreached: number;
  readonly optedOut: number;
  /** Inferred names that were visited to measure the error, and those that differed. */
  readonly checked: number;
  readonly wrong: number;
  /** Upper limit of the share of wrong inferences, 0 to 1, with 95 % confidence. */
  readonly errorAtMost: number;
}

export interface ScanNumbers {
  readonly scan: FinishedScan;
  readonly pages: readonly NumbersPage[];
  /** The operators of mail hosts with the most domains. */
  readonly operators: readonly { readonly name: string; readonly domains: number }[];
  /** Undefined for a scan of an earlier version, which did not store it. */
  readonly method: ScanMethod | undefined;
}
