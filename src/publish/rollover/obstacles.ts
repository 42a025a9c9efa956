import type { Alert, Wait } from '../actions.js';
import { mayBeShown } from './keys.js';
import type { RolloverReading, RolloverState, RolloverWish } from './types.js';

export interface Obstacles {
  /** Nothing is published or deployed. */
  readonly dns: readonly Wait[];
  /** Only what cannot harm is published, nothing is deployed. */
  readonly server: readonly Wait[];
  readonly alerts: readonly Alert[];
}

/** What hinders the start of a change: a delegation in motion [7671-13-2], a server that cannot be seen whole or offers no STARTTLS [7672-9.2-1], a key that is not ours. */
export function obstacles(
  state: RolloverState,
  seen: RolloverReading,
  wish: RolloverWish,
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
    dns: delegation(state, seen),
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
