import type { Alert, Wait } from '../actions.js';
import { mayBeShown } from './keys.js';
import type { RolloverReading, RolloverState, DesiredRollover } from './types.js';

export interface Obstacles {
  /** Nothing is published or deployed. */
  readonly dns: readonly Wait[];
  /** Only what cannot harm is published, nothing is deployed. */
  readonly server: readonly Wait[];
  readonly alerts: readonly Alert[];
}

/**
 * What hinders the start of a change: a delegation in motion [7671-13-2], a server that
 * cannot be seen whole or offers no STARTTLS [7672-9.2-1], a key that is not ours.
 */
export function blockers(
  state: RolloverState,
  seen: RolloverReading,
  wish: DesiredRollover,
): Obstacles {
  const { host, owner } = state;
  const ours = new Set(mayBeShown(state).map(({ sha256 }) => sha256));
  const at = (address: string): string => `${host} [${address}]`;
  const strange = seen.addresses.filter(
    ({ keys }) => keys !== 'unknown' && keys.some((sha256) => !ours.has(sha256)),
  );
  const plain = wish.publish ? seen.addresses.filter(({ starttls }) => starttls === 'absent') : [];
  const blind =
    seen.addresses.length === 0 || seen.addresses.some(({ keys }) => keys === 'unknown');
  return {
    dns: [...delegation(state, seen), ...ownerHeld(state, seen, wish)],
    server: [
      ...(blind
        ? [{ subject: host, why: 'not every address of the server could be asked for its key' }]
        : []),
      ...(strange.length > 0
        ? [{ subject: host, why: 'the server shows a key that is not in the key ring' }]
        : []),
    ],
    alerts: [
      ...strange.map(({ address, keys }) => ({
        code: 'publish-key-unknown',
        subject: at(address),
        detail: String(keys),
      })),
      ...plain.map(({ address }) => ({
        code: 'publish-starttls-absent',
        subject: at(address),
        detail: '',
      })),
      ...(wish.publish && seen.dnssec === 'insecure'
        ? [{ code: 'publish-zone-unsigned', subject: owner, detail: '' }]
        : []),
      ...(seen.dnssec === 'bogus'
        ? [{ code: 'publish-zone-bogus', subject: owner, detail: '' }]
        : []),
    ],
  };
}

/**
 * An owner that is an alias, or records that a wildcard makes: nothing there can be
 * changed here.
 */
function ownerHeld(
  { owner }: RolloverState,
  { nameservers, held }: RolloverReading,
  { publish }: DesiredRollover,
): readonly Wait[] {
  const waits = (why: string): readonly Wait[] => [{ subject: owner, why }];
  const [alias] = nameservers.map((one) => one.alias);
  if (alias !== undefined && nameservers.every((one) => one.alias === alias))
    return waits(
      `${owner} is an alias of ${alias}, so senders use the TLSA records there (RFC 7671 §7): remove the alias to have records published at ${owner}`,
    );
  if (held !== undefined && publish) return waits(held);
  const byWildcard = nameservers.some(
    ({ rrset, synthesised }) => synthesised && rrset !== 'unknown' && rrset.records.length > 0,
  );
  return byWildcard && !publish
    ? waits(
        `no TLSA records are wanted, and those of ${owner} come from a wildcard: remove them there`,
      )
    : [];
}

function delegation({ owner, ds }: RolloverState, seen: RolloverReading): readonly Wait[] {
  if (seen.ds === 'unknown')
    return [
      {
        subject: owner,
        why: 'the DS records of the zone cannot be read, so whether they change cannot be told',
      },
    ];
  if (ds?.changed === undefined) return [];
  const until = ds.changed + 2 * seen.ds.ttl * 1000;
  return seen.at < until
    ? [{ subject: owner, why: 'the DS records of the zone have changed', until }]
    : [];
}
