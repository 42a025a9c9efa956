/**
 * The source of the statistics that the pages show. The daemon reads the statistics from
 * the database of scans, so this part depends on neither the database nor the scan.
 */
export interface StatisticsSource {
  /**
   * Returns the finished scans, newest first. Rejects if the database cannot be reached.
   */
  scans(): Promise<readonly FinishedScan[]>;
  /**
   * Returns the numbers of a finished scan; undefined for an unknown or unfinished scan.
   */
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

/** A number `n` with its base `of`. Units with an unknown answer are in neither. */
export interface UnitCount {
  readonly n: number;
  readonly of: number;
  readonly unknown: number;
}

/** One property with its number of domains, mail hosts and operators. */
export interface PageNumber {
  readonly id: string;
  /** The property, as the end of a phrase that begins with "domains". */
  readonly says: string;
  /** The base, as the end of a phrase that begins with "of the domains". */
  readonly of: string;
  readonly domains: UnitCount;
  readonly mailHosts: UnitCount;
  readonly operators: UnitCount;
}

export interface NumbersPage {
  readonly name: string;
  readonly numbers: readonly PageNumber[];
}

/**
 * The numbers of visited and inferred names in a scan, and the measured error of the
 * inferred results.
 */
export interface ScanMethod {
  readonly visited: number;
  readonly inferred: number;
  /** Number of names without an answer: refused, silent, or not part of a sample. */
  readonly unreached: number;
  readonly optedOut: number;
  /**
   * Number of inferred names that were visited to measure the error, and number of those
   * that differed.
   */
  readonly checked: number;
  readonly wrong: number;
  /** Upper limit of the share of wrong inferences, from 0 to 1, with 95 % confidence. */
  readonly errorAtMost: number;
}

export interface ScanNumbers {
  readonly scan: FinishedScan;
  readonly pages: readonly NumbersPage[];
  /** The operators of mail hosts with the most domains. */
  readonly operators: readonly { readonly name: string; readonly domains: number }[];
  /** The method; undefined for a scan of an earlier version, which did not store it. */
  readonly method: ScanMethod | undefined;
}
