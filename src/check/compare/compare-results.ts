import type { FactChange, CheckResult, Comparison, Direction } from '../../evidence/index.js';
import { catalogue } from '../findings/catalogue.js';
import { comparableFactsOf, type ComparableFact } from './facts-of.js';

/** Directions in the order of the report. */
const order: readonly Direction[] = ['worse', 'unclear', 'better', 'changed'];

/**
 * Compares two results of one domain and returns the facts that differ, worse ones first.
 * Both results should be graded with the same profile; otherwise a change of rules
 * appears as a change of the domain.
 */
export function compareResults(older: CheckResult, newer: CheckResult): Comparison {
  const [was, entries] = [index(older), index(newer)];
  const keys = [...new Set([...entries.keys(), ...was.keys()])];
  const changes = keys.flatMap((identity): FactChange[] => {
    const known = (entries.get(identity) ?? was.get(identity)) as ComparableFact;
    const [before, after] = [
      was.get(identity) ?? missing(known, older),
      entries.get(identity) ?? missing(known, newer),
    ];
    if (before.value === after.value) return [];
    if (known.common && !(was.has(identity) && entries.has(identity))) return [];
    if (known.inside && !(sawInside(was, known.subject) && sawInside(entries, known.subject)))
      return [];
    return [
      {
        direction: directionOf(before, after),
        subject: known.subject,
        what: known.what,
        before: before.value,
        after: after.value,
      },
    ];
  });
  changes.sort((left, right) => order.indexOf(left.direction) - order.indexOf(right.direction));
  return {
    schema: 'hermetic.diff/1',
    domain: newer.domain,
    before: older.checkedAt,
    after: newer.checkedAt,
    changes,
  };
}

/**
 * Returns the facts by subject and name. A line feed separates subject and name, since
 * neither contains a line feed.
 */
function index(checkResult: CheckResult): ReadonlyMap<string, ComparableFact> {
  return new Map(
    comparableFactsOf(checkResult).map((fact) => [`${fact.subject}\n${fact.what}`, fact]),
  );
}

/** Returns true if the result has a fact on the subject that was observed inside TLS. */
function sawInside(facts: ReadonlyMap<string, ComparableFact>, subject: string): boolean {
  return [...facts.values()].some((fact) => fact.inside && fact.subject === subject);
}

/**
 * Returns the value to compare if a result lacks a fact that the other result has. A
 * finding counts as not raised only if the check tested for it and reached the subject;
 * otherwise the value is unknown.
 */
function missing({ subject, what }: ComparableFact, checkResult: CheckResult): ComparableFact {
  const gone = { subject, what, value: 'none' };
  if (!(what in catalogue)) return gone;
  if (checkResult.notLookedAt.includes(what))
    return { ...gone, value: 'not tested', worth: 'unknown' };
  const address = checkResult.hosts
    .flatMap((mailHost) =>
      mailHost.addresses.map((address) => ({
        name: `${mailHost.name} [${address.ip}]`,
        status: address.status,
      })),
    )
    .find(({ name }) => name === subject);
  if (address && address.status !== 'reachable')
    return { ...gone, value: 'not determined', worth: 'unknown' };
  return { ...gone, worth: 2 };
}

/**
 * Returns the direction of a change. A value that is now unknown is never better or
 * worse.
 */
function directionOf(before: ComparableFact, after: ComparableFact): Direction {
  if (after.worth === 'unknown') return 'unclear';
  if (
    before.worth === undefined ||
    before.worth === 'unknown' ||
    after.worth === undefined ||
    before.worth === after.worth
  )
    return 'changed';
  if (after.worth > before.worth) return 'better';
  return 'worse';
}
