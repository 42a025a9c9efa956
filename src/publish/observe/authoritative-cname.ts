import { Name } from '../../base/index.js';
import { RRType } from '../../dns/index.js';
import { queryAuthoritatives } from './query-authoritatives.js';
import type { Observer } from './observer.js';

/**
 * What a name is an alias of by its authoritative servers; `unknown` where those that
 * answer differ. The CNAME of a wildcard is no alias of the name: a record of its own
 * takes the wildcard's place (RFC 4592 §2.2.1). `dns` is an entry of `publish.dns`.
 */
export async function authoritativeCname(
  name: string,
  dns: string,
  { zone, network, signal }: Pick<Observer, 'zone' | 'network' | 'signal'>,
): Promise<string | undefined> {
  const found = await zone(Name.of(name), dns);
  const shown = await queryAuthoritatives(
    network,
    found?.servers ?? [],
    Name.of(name),
    RRType.TXT,
    signal,
  );
  const aliases = new Set(
    shown
      .filter(({ alias, rrset }) => alias !== undefined || rrset !== 'unknown')
      .map(({ alias, synthesised }) => (synthesised ? undefined : alias)),
  );
  return aliases.size > 1 ? 'unknown' : [...aliases][0];
}
