import { fail, Name, ok, type Failure, type Result } from '../../base/index.js';
import type { DnsTarget } from '../config.js';
import { acmeFailures } from '../../acme/index.js';

/**
 * The location of a record that is looked up under another name: the end of its alias
 * chain, and the entry of `publish.dns` that can write there.
 */
export interface RecordLocation {
  readonly name: string;
  readonly dns: string;
}

type Targets = Readonly<
  Record<string, { readonly kind: DnsTarget['kind']; readonly zone?: string | undefined }>
>;

/** Longest chain of aliases. */
const MAX_ALIASES = 8;

/**
 * Follows the aliases of a name to the name at which its record has to be written (RFC
 * 1034 §3.6.2), and finds the entry of `publish.dns` that writes there. Without an alias,
 * this entry is `own`; with an alias, it is the entry with the longest zone that contains
 * the last name. Fails for a name outside every zone, unless `own` prints records for the
 * operator. `aliasOf` returns the target of an alias, or `unknown` if the servers differ.
 */
export async function locateRecord(
  recordName: string,
  own: string,
  targets: Targets,
  aliasOf: (name: string, dns: string) => Promise<string | undefined>,
): Promise<Result<RecordLocation, Failure>> {
  const manualWriter = (targets[own]?.kind ?? 'print') === 'print' ? 'print' : undefined;
  const chain = [recordName];
  for (let [ownerName, dns]: [string, string | undefined] = [recordName, own]; ;) {
    const elsewhere = (reason: string): Result<RecordLocation, Failure> =>
      fail(
        acmeFailures.make('acme-challenge-elsewhere', `${chain.join(' is an alias of ')}${reason}`),
      );
    const aliasName = await aliasOf(ownerName, dns ?? 'print');
    if (aliasName === 'unknown')
      return fail(
        acmeFailures.make('acme-pending', `the servers differ on whether ${ownerName} is an alias`),
      );
    if (aliasName === undefined)
      return dns === undefined
        ? elsewhere(', which is in no zone of publish.dns')
        : ok({ name: ownerName, dns });
    const isLoop = chain.includes(aliasName);
    chain.push(aliasName);
    if (isLoop) return elsewhere(', in a loop');
    if (chain.length > MAX_ALIASES + 1) return elsewhere(', and so on');
    [ownerName, dns] = [aliasName, writerFor(aliasName, targets) ?? manualWriter];
  }
}

function writerFor(recordName: string, targets: Targets): string | undefined {
  const entries = Object.entries(targets).flatMap(([dns, { zone }]) =>
    zone !== undefined && Name.of(recordName).isAtOrBelow(Name.of(zone)) ? [{ dns, zone }] : [],
  );
  return entries.sort((left, right) => right.zone.length - left.zone.length)[0]?.dns;
}
