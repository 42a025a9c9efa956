import type { CheckResult } from '../../evidence/index.js';
import {
  classIds,
  classRegistry,
  type ClassId,
  type MisconfigurationClass,
} from './class-registry.js';

/** The fields of a result that decide its classes. */
export type ClassifiedResult = Pick<CheckResult, 'verdict' | 'exposure' | 'mtaSts'> & {
  readonly findings: readonly { readonly id: string }[];
};

/** Returns the classes of misconfiguration of a result, in the order of their bits. */
export function classesOf(result: ClassifiedResult): readonly ClassId[] {
  const raised = new Set(result.findings.map(({ id }) => id));
  const derived = derivedClasses(result, raised);
  return classIds.filter((id) => {
    const { findings }: MisconfigurationClass = classRegistry[id];
    return derived.has(id) || findings.some((finding) => raised.has(finding));
  });
}

/** Returns the classes that depend on more than one finding. */
function derivedClasses(
  { verdict, exposure, mtaSts }: ClassifiedResult,
  raised: ReadonlySet<string>,
): ReadonlySet<ClassId> {
  const classes = new Set<ClassId>();
  if (verdict === 'inconclusive') classes.add('could-not-tell');
  if (mtaSts.mode === 'enforce' && exposure.mtaStsFirst.none === 'deferred')
    classes.add('sts-enforce-fails');
  if (raised.has('sts-policy-unreachable'))
    classes.add(isDnsFault(mtaSts.problems[0]) ? 'sts-policy-dns' : 'sts-policy-http');
  return classes;
}

/** Returns whether the policy host has no address, or its lookup failed. */
function isDnsFault(code = ''): boolean {
  return code === 'sts-policy-host-missing' || code.startsWith('dns-');
}

/** Returns the classes as a bit set, for a column of 64 bits. */
export function classBits(classes: readonly ClassId[]): bigint {
  return classes.reduce((bits, id) => bits | (1n << BigInt(classRegistry[id].bit)), 0n);
}

/** Returns the classes of a bit set. Bits of later versions are ignored. */
export function classesOfBits(bits: bigint): readonly ClassId[] {
  return classIds.filter((id) => ((bits >> BigInt(classRegistry[id].bit)) & 1n) === 1n);
}
