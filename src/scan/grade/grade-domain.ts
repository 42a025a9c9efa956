import { createHash } from 'node:crypto';
import { BoundedMap } from '../../base/index.js';
import { baseline, grade, type Profile } from '../../check/index.js';
import type { CheckResult, Severity, Verdict } from '../../evidence/index.js';
import type { ClassId } from '../classes/class-registry.js';
import { classesOf } from '../classes/classes-of.js';
import { composeEvidence, latestDate, type ScanVantage } from '../facts/compose-evidence.js';
import type { ScannedDomain } from '../facts/observations.js';
import { FactsKeys } from './facts-key.js';
import { measuresOf, type Measures } from './measures.js';

/**
 * The grade of a domain without its name: the row that all domains of one shape share.
 * Each finding appears once, even if it has several subjects.
 */
export interface DomainGrade {
  /**
   * SHA-256 of the other fields in lower-case hex: two domains share a shape if and only
   * if their grades are equal.
   */
  readonly shape: string;
  /** Name of the profile. */
  readonly profile: string;
  readonly verdict: Verdict;
  readonly findings: readonly { readonly id: string; readonly severity: Severity }[];
  readonly exposure: CheckResult['exposure'];
  readonly classes: readonly ClassId[];
  readonly measures: Measures;
}

/** Maximum number of shapes in memory, at about 3 kB each. */
const MAX_SHAPES = 20_000;

/** Options of {@link DomainGrader}. */
export interface GraderOptions extends ScanVantage {
  readonly profile?: Profile;
  /**
   * Maximum number of fact keys whose grade stays in memory. Default 100 000, about 20
   * MB.
   */
  readonly cacheSize?: number;
}

/**
 * Grades domains. Domains with equal facts, apart from names and times, share one grade,
 * which is computed once.
 */
export class DomainGrader {
  readonly #profile: Profile;
  readonly #keys: FactsKeys;
  readonly #known: BoundedMap<DomainGrade>;
  /** One object for each shape: many facts share a grade. */
  readonly #shapes = new BoundedMap<DomainGrade>(MAX_SHAPES);
  #graded = 0;

  constructor(private readonly options: GraderOptions = {}) {
    this.#profile = options.profile ?? baseline;
    this.#keys = new FactsKeys(this.#profile);
    this.#known = new BoundedMap(options.cacheSize ?? 100_000);
  }

  /** The number of grades that were computed, and not found by their facts. */
  get graded(): number {
    return this.#graded;
  }

  /**
   * Returns the grade of a domain. `grade(composeEvidence(scanned))` returns the full
   * report.
   * @throws TypeError if an observation is missing.
   */
  grade(scanned: ScannedDomain): DomainGrade {
    const key = this.#keys.of(scanned, this.#dateOf(scanned));
    const known = this.#known.get(key);
    if (known) return known;
    const computed = gradeDomain(scanned, this.options);
    this.#graded++;
    const shared = this.#shapes.get(computed.shape) ?? computed;
    this.#shapes.set(shared.shape, shared);
    this.#known.set(key, shared);
    return shared;
  }

  #dateOf(scanned: ScannedDomain): number {
    return Date.parse(this.options.at ?? latestDate(scanned));
  }
}

/** Grades one domain: see {@link DomainGrader} for many. */
export function gradeDomain(scanned: ScannedDomain, options: GraderOptions = {}): DomainGrade {
  const evidence = composeEvidence(scanned, options);
  return summariseGrade(grade(evidence, options.profile, { brief: true }));
}

/** Reduces a result to the row that all domains with an equal grade share. */
export function summariseGrade(result: CheckResult): DomainGrade {
  const findings = new Map(
    result.findings.map(({ id, severity }) => [`${severity} ${id}`, { id, severity }]),
  );
  const row = {
    profile: result.profile,
    verdict: result.verdict,
    findings: [...findings.keys()].sort().flatMap((key) => findings.get(key) ?? []),
    exposure: result.exposure,
    classes: classesOf(result),
    measures: measuresOf(result),
  };
  return { shape: createHash('sha256').update(JSON.stringify(row)).digest('hex'), ...row };
}
