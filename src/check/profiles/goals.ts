import type { Depth, Severity } from '../../evidence/index.js';
import type { Ask, Goals } from '../../tls/index.js';
import type { FindingId } from '../findings/catalogue.js';
import type { Profile, TlsTerms } from './profile.js';

/**
 * A question of the prober for a profile, and the finding to raise if the answer is yes.
 */
export interface GradedAsk {
  readonly finding: FindingId;
  readonly ask: Ask;
  /** Code points of the question that raise another finding. */
  readonly apart?: { readonly finding: FindingId; readonly ids: readonly number[] } | undefined;
}

/**
 * Everything that takes a question of its own; features of TLS 1.2 show in any answer.
 */
export function gradedAsks({ versions, sets, order, dheBits }: TlsTerms): readonly GradedAsk[] {
  return [
    ...(['TLSv1.1', 'TLSv1', 'SSLv3', 'SSLv2'] as const).flatMap((version): GradedAsk[] => {
      const finding = versions[version];
      if (finding)
        return [
          { finding, ask: version === 'SSLv2' ? { kind: 'ssl2' } : { kind: 'version', version } },
        ];
      return [];
    }),
    ...sets.map((set, index): GradedAsk => {
      const id = `${set.finding}.${index}`;
      if ('suites' in set)
        return { finding: set.finding, ask: { kind: 'suites', id, suites: set.suites } };
      if ('schemes' in set)
        return { finding: set.finding, ask: { kind: 'signatures', id, schemes: set.schemes } };
      return {
        finding: set.finding,
        ask: { kind: 'groups', id, groups: set.groups, version: set.version },
        apart: set.apart && { finding: set.apart.finding, ids: set.apart.groups },
      };
    }),
    ...(dheBits === undefined ? [] : [{ finding: 'tls-weak-dhe', ask: { kind: 'dhe' } } as const]),
    ...(order
      ? [{ finding: order.finding, ask: { kind: 'order', worse: order.worse } } as const]
      : []),
  ];
}

const worth: readonly Severity[] = ['fail', 'warn', 'info', 'good'];

/** Returns the severity of a TLS finding under a profile. */
export function severityOf(profile: Profile, finding: FindingId): Severity {
  const { severity } = profile.rules[finding];
  if (typeof severity === 'string') return severity;
  return 'fail';
}

/**
 * Returns the goals of the prober for a profile at a depth; undefined at depth `triage`.
 * Versions come first, newest first, because one refusal settles all older ones; then the
 * most severe findings, so that a spent budget loses the least.
 */
export function goalsOf(profile: Profile, depth: Depth): Goals | undefined {
  if (depth === 'triage') return undefined;
  const asks = gradedAsks(profile.tls).map(({ finding, ask }, index, all) => {
    const again = all
      .slice(0, index)
      .some((asked) => asked.ask.kind === 'version' && asked.finding === finding);
    const versionRank = again ? 0.5 : 0;
    const rank =
      ask.kind === 'version' ? versionRank : 1 + worth.indexOf(severityOf(profile, finding));
    return { ask, rank };
  });
  return {
    inventory: depth === 'inventory',
    largeHello: true,
    asks: asks.sort((left, right) => left.rank - right.rank).map(({ ask }) => ask),
  };
}
