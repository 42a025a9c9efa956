import type { Depth } from '../../evidence/index.js';
import { suites as known, type Goals } from '../../tls/index.js';
import type { Profile } from './profile.js';

/** What the prober has to find out for a profile at a depth; nothing for triage. Sets of one finding are asked one by one, so that each refusal proves its own. */
export function goalsOf(profile: Profile, depth: Depth): Goals | undefined {
  if (depth === 'triage') return undefined;
  const { tls } = profile;
  const suiteSets = tls.sets.flatMap((set, i) => ('suites' in set ? split(set.finding, i, set.suites) : []));
  return {
    inventory: depth === 'inventory',
    suiteSets,
    groupSets: tls.sets.flatMap((set, i) =>
      'groups' in set && set.groups.length > 0 ? [{ id: `${set.finding}.${i}`, groups: set.groups, version: set.version }] : [],
    ),
    signatureSets: tls.sets.flatMap((set, i) => ('schemes' in set ? [{ id: `${set.finding}.${i}`, schemes: set.schemes }] : [])),
    order: tls.order !== undefined,
    dhe: tls.dheBits !== undefined,
    ssl2: tls.versions.SSLv2 !== undefined,
  };
}

/** Suites of TLS 1.3 are asked about in a hello of their own. */
function split(finding: string, i: number, suites: readonly number[]): { id: string; suites: readonly number[] }[] {
  const tls13 = suites.filter((id) => known.get(id)?.tls13);
  const older = suites.filter((id) => !known.get(id)?.tls13);
  return [
    ...(older.length > 0 ? [{ id: `${finding}.${i}`, suites: older }] : []),
    ...(tls13.length > 0 ? [{ id: `${finding}.${i}.13`, suites: tls13 }] : []),
  ];
}
