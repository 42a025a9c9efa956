import type { Alert, Wait } from '../actions.js';
import { presentableKeys } from './rrset.js';
import type { RolloverObservation, TlsaRolloverState, DesiredRollover } from './types.js';

/** Conditions that stop a rollover, grouped by the steps that they stop. */
export interface RolloverBlockers {
  /** Conditions under which the rollover publishes no record and deploys no key. */
  readonly dns: readonly Wait[];
  /**
   * Conditions under which the rollover publishes only harmless changes and deploys no
   * key.
   */
  readonly server: readonly Wait[];
  readonly alerts: readonly Alert[];
}

/**
 * Finds the conditions that prevent a change from starting: a changing delegation
 * [7671-13-2], an address that cannot be probed, a server without STARTTLS [7672-9.2-1],
 * a key that is not in the key ring. A blocker never undoes a published record.
 */
export function findBlockers(
  tlsaRolloverState: TlsaRolloverState,
  observed: RolloverObservation,
  desired: DesiredRollover,
): RolloverBlockers {
  const { host, owner } = tlsaRolloverState;
  const { addresses } = observed;
  const ringKeys = new Set(presentableKeys(tlsaRolloverState).map(({ sha256 }) => sha256));
  const subjectOf = (address: string): string => `${host} [${address}]`;
  const foreign = addresses.filter(
    ({ keys }) => keys !== 'unknown' && keys.some((sha256) => !ringKeys.has(sha256)),
  );
  const withoutStarttls = addresses.filter(({ starttls }) => starttls === 'absent');
  const server: Wait[] = [];
  if (addresses.length === 0 || addresses.some(({ keys }) => keys === 'unknown'))
    server.push({ subject: host, why: 'the key of the server is not known at every address' });
  if (foreign.length > 0)
    server.push({ subject: host, why: 'the server shows a key that is not in the key ring' });
  const alerts: Alert[] = foreign.map(({ address, keys }) => ({
    code: 'publish-key-unknown',
    subject: subjectOf(address),
    detail: String(keys),
  }));
  if (desired.publish)
    for (const { address } of withoutStarttls)
      alerts.push({ code: 'publish-starttls-absent', subject: subjectOf(address), detail: '' });
  if (desired.publish && observed.dnssec === 'insecure')
    alerts.push({ code: 'publish-zone-unsigned', subject: owner, detail: '' });
  if (observed.dnssec === 'bogus')
    alerts.push({ code: 'publish-zone-bogus', subject: owner, detail: '' });
  return {
    dns: [
      ...delegationBlockers(tlsaRolloverState, observed),
      ...ownerBlockers(tlsaRolloverState, observed, desired),
    ],
    server,
    alerts,
  };
}

/**
 * Returns the blockers of owners whose records cannot be changed here: an alias, or a
 * name that exists only through a wildcard.
 */
function ownerBlockers(
  { owner: ownerName }: TlsaRolloverState,
  { nameservers, blocked }: RolloverObservation,
  { publish }: DesiredRollover,
): readonly Wait[] {
  const waitFor = (why: string): readonly Wait[] => [{ subject: ownerName, why }];
  const [aliasName] = nameservers.map((tlsaAnswer) => tlsaAnswer.alias);
  if (aliasName !== undefined && nameservers.every((tlsaAnswer) => tlsaAnswer.alias === aliasName))
    return waitFor(
      `${ownerName} is an alias of ${aliasName}, so the TLSA records there apply (RFC 7671 §7): remove the alias to publish records at ${ownerName}`,
    );
  if (blocked !== undefined && publish) return waitFor(blocked);
  const byWildcard = nameservers.some(
    ({ rrset, synthesised }) => synthesised && rrset !== 'unknown' && rrset.records.length > 0,
  );
  if (!byWildcard || publish) return [];
  return waitFor(
    `the configuration requests no TLSA records, and those of ${ownerName} come from a wildcard: remove the wildcard`,
  );
}

/**
 * Returns the blockers that follow from a change of the DS RRset: the zone may be bogus
 * for some senders. Two TTLs after the last change, every cache has the new delegation.
 */
function delegationBlockers(
  { owner, ds }: TlsaRolloverState,
  observed: RolloverObservation,
): readonly Wait[] {
  const waitFor = (why: string, until?: number): readonly Wait[] => [
    { subject: owner, why, until },
  ];
  if (observed.ds === 'unknown')
    return waitFor('the DS records of the zone cannot be read, so a change of them is not seen');
  if (ds?.changed === undefined) return [];
  const until = (ds.again ?? ds.changed) + 2 * observed.ds.ttl * 1000;
  if (observed.at >= until) return [];
  return waitFor('the DS records of the zone have changed', until);
}
