import type { Depth, Severity } from '../../evidence/index.js';
import type { Ask, Goals } from '../../tls/index.js';
import type { FindingId } from '../findings/catalogue.js';
import type { Profile, TlsTerms } from './profile.js';

/** A question for the prober, with the finding that a positive answer raises. */
export interface GradedAsk {
  readonly finding: FindingId;
  readonly ask: Ask;
  /** Code points of the question that raise another finding. */
  readonly apart?: { readonly finding: FindingId; readonly ids: readonly number[] } | undefined;
}

/**
 * Returns the questions of a profile that need a separate answer. Any answer shows the
 * features of TLS 1.2, so these features need no question.
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
    ...sets.map((tlsSet, index): GradedAsk => {
      const id = `${tlsSet.finding}.${index}`;
      if ('suites' in tlsSet)
        return { finding: tlsSet.finding, ask: { kind: 'suites', id, suites: tlsSet.suites } };
      if ('schemes' in tlsSet)
        return {
          finding: tlsSet.finding,
          ask: { kind: 'signatures', id, schemes: tlsSet.schemes },
        };
      return {
        finding: tlsSet.finding,
        ask: { kind: 'groups', id, groups: tlsSet.groups, version: tlsSet.version },
        apart: tlsSet.apart && { finding: tlsSet.apart.finding, ids: tlsSet.apart.groups },
      };
    }),
    ...(dheBits === undefined ? [] : [{ finding: 'tls-weak-dhe', ask: { kind: 'dhe' } } as const]),
    ...(order
      ? [{ finding: order.finding, ask: { kind: 'order', worse: order.worse } } as const]
      : []),
  ];
}

/** Severities by weight, the greatest first. */
const worth: readonly Severity[] = ['fail', 'warn', 'info', 'good'];

/**
 * Returns the worst severity of a finding under a profile. A severity that depends on
 * mechanisms is that of the strictest mechanism.
 */
export function severityOf(profile: Profile, finding: FindingId): Severity {
  const { severity } = profile.rules[finding];
  if (typeof severity === 'string') return severity;
  return 'fail';
}

/**
 * Returns the questions of a profile at a depth; undefined for triage. Versions come
 * first, newest first, since the refusal of one version also answers the questions on
 * older versions. The facts of greatest weight follow, so that an exhausted budget omits
 * the least important questions.
 */
export function goalsOf(profile: Profile, depth: Depth): Goals | undefined {
  if (depth === 'triage') return undefined;
  const asks = gradedAsks(profile.tls).map(({ finding, ask }, index, all) => {
    const again = all
      .slice(0, index)
      .some((asked) => asked.ask.kind === 'version' && asked.finding === finding);
    if (ask.kind !== 'version')
      return { ask, rank: 1 + worth.indexOf(severityOf(profile, finding)) };
    // A second version with the same finding would change no verdict.
    return { ask, rank: again ? 0.5 : 0 };
  });
  return {
    inventory: depth === 'inventory',
    largeHello: true,
    // A completed handshake answers the first of these questions, except with old
    // servers.
    asks: [
      { kind: 'strict' },
      ...asks.sort((left, right) => left.rank - right.rank).map(({ ask }) => ask),
    ],
  };
}
