import { fail, Name, ok, type Failure, type Result } from '../../base/index.js';
import type { DnsTarget } from '../config.js';
import { acmeFailures } from '../../acme/index.js';

/**
 * Where a record that is looked up under one name is kept: behind its aliases, in reach
 * of an entry of `publish.dns`.
 */
export interface RecordPlace {
  readonly name: string;
  readonly dns: string;
}

type Targets = Readonly<
  Record<string, { readonly kind: DnsTarget['kind']; readonly zone?: string | undefined }>
>;

/** Aliases one behind the other. */
const MAX_ALIASES = 8;

/**
 * Follows the aliases of a name to where its record has to be written (RFC 1034 §3.6.2),
 * and finds who may write there: `own` where the name is no alias, else the entry whose
 * zone the last name is in, the longest of several. Outside every zone nobody writes;
 * where `own` is a person, that person may. `aliasOf` gives what a name leads to, read
 * with an entry of `publish.dns`; `unknown` where the servers differ.
 */
export async function locateRecord(
  name: string,
  own: string,
  targets: Targets,
  aliasOf: (name: string, dns: string) => Promise<string | undefined>,
): Promise<Result<RecordPlace, Failure>> {
  const byHand = (targets[own]?.kind ?? 'print') === 'print' ? 'print' : undefined;
  const passed = [name];
  for (let [at, dns]: [string, string | undefined] = [name, own]; ;) {
    const elsewhere = (why: string): Result<RecordPlace, Failure> =>
      fail(
        acmeFailures.make('acme-challenge-elsewhere', `${passed.join(' is an alias of ')}${why}`),
      );
    const alias = await aliasOf(at, dns ?? 'print');
    if (alias === 'unknown')
      return fail(
        acmeFailures.make('acme-pending', `the servers differ on whether ${at} is an alias`),
      );
    if (alias === undefined)
      return dns === undefined ? elsewhere(', in no zone of publish.dns') : ok({ name: at, dns });
    const circle = passed.includes(alias);
    passed.push(alias);
    if (circle || passed.length > MAX_ALIASES + 1)
      return elsewhere(circle ? ', in a circle' : ', and so on');
    [at, dns] = [alias, writerFor(alias, targets) ?? byHand];
  }
}

function writerFor(name: string, targets: Targets): string | undefined {
  const able = Object.entries(targets).flatMap(([dns, { zone }]) =>
    zone !== undefined && Name.of(name).isAtOrBelow(Name.of(zone)) ? [{ dns, zone }] : [],
  );
  return able.sort((a, b) => b.zone.length - a.zone.length)[0]?.dns;
}
