import { groupBy } from '../../base/index.js';
import type { FailureFact, ReportedFacts } from './facts.js';

/** The failures by reporter, and the reporters with successes. */
interface FactsIndex {
  readonly failures: ReadonlyMap<string, readonly FailureFact[]>;
  /** Reporters that reported a successful session. */
  readonly succeeding: ReadonlySet<string>;
}

/**
 * The index of each set of facts. It is built once, since every failure of a view is
 * compared with every reporter.
 */
const indexes = new WeakMap<ReportedFacts, FactsIndex>();

/** Returns the failures that a reporter reported. */
export function failuresOf(reporter: string, facts: ReportedFacts): readonly FailureFact[] {
  return indexOf(facts).failures.get(reporter) ?? [];
}

/** Returns whether any report of a reporter counts a successful session. */
export function succeeds(reporter: string, facts: ReportedFacts): boolean {
  return indexOf(facts).succeeding.has(reporter);
}

function indexOf(facts: ReportedFacts): FactsIndex {
  const known = indexes.get(facts);
  if (known) return known;
  const index = {
    failures: groupBy(facts.failures, ({ reporter }) => reporter),
    succeeding: new Set(facts.sessions.filter(({ ok }) => ok > 0).map(({ reporter }) => reporter)),
  };
  indexes.set(facts, index);
  return index;
}
