import { countOf } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';

/**
 * Returns the origin of a result as terms and values: enough to repeat the check and to
 * distinguish two results. Undefined values were not recorded.
 */
export function aboutCheck(
  checkResult: CheckResult,
): readonly (readonly [term: string, value: string | undefined])[] {
  const { checkedAt, profile, depth, connections, provenance } = checkResult;
  const time = checkedAt.replace('T', ' ').replace('Z', ' UTC');
  const head = [['Time', time]] as const;
  const spent = countOf(connections, 'connection');
  if (!provenance)
    return [...head, ['Profile', profile], ['Depth', `${depth}, ${spent} to mail hosts`]];
  const { tool, collector, profileDate, vantage, resolvers, evidenceSha256 } = provenance;
  const { trustStores = [] } = provenance;
  const collected =
    collector === undefined || collector.version === tool.version
      ? ''
      : ` (evidence of version ${collector.version})`;
  // Without a connection no source address is known.
  const place = vantage.addresses.length > 0 ? [...vantage.addresses] : ['address not recorded'];
  if (vantage.ipv6 === 'unavailable') place.push('without IPv6');
  return [
    ...head,
    ['Program', `${tool.name} ${tool.version}${collected}`],
    ['Profile', `${profile} of ${profileDate}`],
    ['Depth', `${depth}, ${spent} to mail hosts`],
    ['Vantage point', connections > 0 ? `${place.join(', ')}; EHLO ${vantage.helo}` : undefined],
    ['Resolver', resolvers.join(', ') || undefined],
    [
      'Root stores',
      trustStores.map((store) => describeStore(store, checkedAt)).join('; ') || undefined,
    ],
    ['Evidence SHA-256', evidenceSha256],
  ];
}

/** A root store as the provenance records it. */
type TrustStore = NonNullable<NonNullable<CheckResult['provenance']>['trustStores']>[number];

/**
 * The age from which a root store may lack added roots and still trust removed ones.
 */
const MAX_STORE_AGE_DAYS = 183;

/**
 * Names a root store with version, date and digest. The text mentions a store older than
 * six months, since it may lack new roots and trust removed ones; a store without a date
 * is identified by its digest.
 */
export function describeStore({ name, version, date, sha256 }: TrustStore, at: string): string {
  const known = [name, version, date && `of ${date}`].filter(Boolean).join(' ');
  const label = date === undefined ? `${known} (SHA-256 ${sha256.slice(0, 16)})` : known;
  const days = date === undefined ? 0 : (Date.parse(at) - Date.parse(date)) / 86_400_000;
  return days > MAX_STORE_AGE_DAYS ? `${label}: older than six months, update Hermetic` : label;
}
