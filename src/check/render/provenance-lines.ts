import type { CheckResult } from '../../evidence/index.js';
import { counted } from './words.js';

/**
 * The origin of a result as terms and values: enough to repeat the check and to tell two
 * results apart. Undefined values were not recorded.
 */
export function aboutCheck(
  result: CheckResult,
): readonly (readonly [term: string, value: string | undefined])[] {
  const { checkedAt, profile, depth, connections, provenance } = result;
  const time = checkedAt.replace('T', ' ').replace('Z', ' UTC');
  const head = [['Time', time]] as const;
  const spent = counted(connections, 'connection');
  if (!provenance)
    return [...head, ['Profile', profile], ['Depth', `${depth}, ${spent} to mail hosts`]];
  const { tool, collector, profileDate, vantage, resolvers, evidenceSha256 } = provenance;
  const collected =
    collector === undefined || collector.version === tool.version
      ? ''
      : ` (evidence of version ${collector.version})`;
  const addresses = vantage.addresses.length > 0 ? vantage.addresses.join(', ') : undefined;
  const ipv6 = vantage.ipv6 === 'unavailable' ? ', without IPv6' : '';
  return [
    ...head,
    ['Program', `${tool.name} ${tool.version}${collected}`],
    ['Profile', `${profile} of ${profileDate}`],
    ['Depth', `${depth}, ${spent} to mail hosts`],
    ['Vantage point', `${addresses ?? 'not recorded'} as ${vantage.helo}${ipv6}`],
    ['Resolver', resolvers.join(', ') || undefined],
    ['Evidence SHA-256', evidenceSha256],
  ];
}
