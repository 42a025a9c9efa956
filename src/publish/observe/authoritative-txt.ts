import { concat, latin1, Name } from '../../base/index.js';
import { readTxt, RRType } from '../../dns/index.js';
import { txtRdata } from '../records/txt-rdata.js';
import { queryAuthoritatives } from './query-authoritatives.js';
import type { Observer } from './observer.js';

/**
 * TXT records that a name itself has at each authoritative server, in presentation form,
 * sorted; no record where a wildcard answers for it, and no entry where no server is
 * known. `dns` is an entry of `publish.dns`.
 */
export async function authoritativeTxt(
  name: string,
  dns: string,
  { zone, network, signal }: Pick<Observer, 'zone' | 'network' | 'signal'>,
): Promise<readonly (readonly string[] | 'unknown')[]> {
  const found = await zone(Name.of(name), dns);
  const shown = await queryAuthoritatives(
    network,
    found?.servers ?? [],
    Name.of(name),
    RRType.TXT,
    signal,
  );
  return shown.map(({ rrset, synthesised }) => {
    if (synthesised) return [];
    if (rrset === 'unknown') return rrset;
    return rrset.records
      .flatMap((rr) => {
        const strings = readTxt(rr);
        return strings.ok ? [txtRdata(latin1(concat(...strings.value)))] : [];
      })
      .sort();
  });
}
