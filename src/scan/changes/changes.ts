import type { Verdict } from '../../evidence/index.js';
import type { ClassId } from '../classes/class-registry.js';
import type { ScannedDomain } from '../facts/observations.js';
import { operatorOf } from '../family/family-of.js';
import type { DomainGrade } from '../grade/grade-domain.js';

/**
 * The facts of a domain that are compared between scans. A fact that could not be determined
 * is absent. Lists are sorted. Plain JSON.
 */
export interface DomainSnapshot {
  readonly mx?: readonly string[] | undefined;
  readonly provider?: readonly string[] | undefined;
  readonly 'sts-mode'?: string | undefined;
  readonly 'policy-id'?: string | undefined;
  readonly tlsa?: readonly string[] | undefined;
  readonly dnssec?: string | undefined;
  readonly tlsrpt?: string | undefined;
  readonly verdict?: Verdict | undefined;
  readonly class?: readonly ClassId[] | undefined;
}

/** The kinds of changes, in the order of reports. */
export const changeKinds = [
  'mx',
  'provider',
  'sts-mode',
  'policy-id',
  'tlsa',
  'dnssec',
  'tlsrpt',
  'verdict',
  'class',
] as const satisfies readonly (keyof DomainSnapshot)[];
export type ChangeKind = (typeof changeKinds)[number];

/** One changed fact of a domain. */
export interface DomainChange {
  readonly kind: ChangeKind;
  readonly was: string | readonly string[];
  readonly is: string | readonly string[];
}

/** Takes the facts to compare from a scanned and graded domain. */
export function snapshotOf(scanned: ScannedDomain, grade: DomainGrade): DomainSnapshot {
  const { domain, policy, hosts } = scanned;
  const { measures, verdict, classes } = grade;
  const routed = domain.route.kind !== 'error';
  const tlsa = hosts.map(({ host }) => host.tlsa);
  const known = tlsa.every(({ status }) => status !== 'tempfail' && status !== 'bogus');
  const names = domain.mx.map(({ name }) => name);
  const sts = policy?.mtaSts ?? { status: 'absent', id: undefined };
  return {
    mx: routed ? sorted(names) : undefined,
    provider: routed ? sorted(names.map((name) => operatorOf(name, domain.domain))) : undefined,
    'sts-mode': unlessUnknown(measures.mtaSts),
    'policy-id': sts.status === 'tempfail' ? undefined : (sts.id ?? ''),
    tlsa:
      routed && known
        ? sorted(
            hosts.flatMap(({ host }) =>
              host.tlsa.records.map((record) => `${host.name} ${record}`),
            ),
          )
        : undefined,
    dnssec: unlessUnknown(measures.signed),
    tlsrpt: unlessUnknown(measures.tlsRpt),
    verdict: verdict === 'inconclusive' ? undefined : verdict,
    class: classes.includes('could-not-tell') ? undefined : classes,
  };
}

/**
 * Returns the mode; undefined if it is unknown. A failed fetch leaves the mode unknown,
 * because senders keep a cached policy.
 */
function unlessUnknown(value: string): string | undefined {
  return value === 'unknown' || value === 'unobtainable' ? undefined : value;
}

const sorted = (values: readonly string[]): readonly string[] => [...new Set(values)].sort();

/** The changes between two observations, and the current facts. */
export interface SnapshotComparison {
  readonly changes: readonly DomainChange[];
  /** The latest known value of each fact. */
  readonly stands: DomainSnapshot;
}

/**
 * Returns the changes between two snapshots. A fact that is unknown now is not a change:
 * its last known value remains, and a later known value is compared with the last known
 * one. A fact that becomes known for the first time is not a change either.
 */
export function compareSnapshots(was: DomainSnapshot, is: DomainSnapshot): SnapshotComparison {
  const changes = changeKinds.flatMap((kind): DomainChange[] => {
    const [before, now] = [was[kind], is[kind]];
    if (before === undefined || now === undefined) return [];
    return JSON.stringify(before) === JSON.stringify(now) ? [] : [{ kind, was: before, is: now }];
  });
  const stands = Object.fromEntries(
    changeKinds.flatMap((kind) => {
      const value = is[kind] ?? was[kind];
      return value === undefined ? [] : [[kind, value]];
    }),
  );
  return { changes, stands };
}

/** Returns the facts after the changes. `snapshot`: the facts before them. */
export function applyChanges(
  snapshot: DomainSnapshot,
  changes: readonly DomainChange[],
): DomainSnapshot {
  return { ...snapshot, ...Object.fromEntries(changes.map(({ kind, is }) => [kind, is])) };
}
