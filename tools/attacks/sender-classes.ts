import { createResolver, type Resolver } from '../../src/dns/index.js';
import type { Lab } from '../../src/lab/index.js';
import { memoryStsCache, type StsCache, type StsEntry } from '../../src/mta-sts/index.js';
import type { Network } from '../../src/net/index.js';
import type { SenderClass as SenderClass } from '../../src/tls-policy/index.js';
import { createSender, type Sender } from '../../src/send/index.js';

/**
 * The configuration of each class of sender. A sender without DANE asks a resolver that
 * does not validate.
 */
export const classes: Readonly<
  Record<
    SenderClass,
    { readonly dane: boolean; readonly mtaSts: boolean; readonly cached: boolean }
  >
> = {
  opportunistic: { dane: false, mtaSts: false, cached: false },
  mtaStsFirst: { dane: false, mtaSts: true, cached: false },
  mtaStsCached: { dane: false, mtaSts: true, cached: true },
  dane: { dane: true, mtaSts: false, cached: false },
  bothFirst: { dane: true, mtaSts: true, cached: false },
  bothCached: { dane: true, mtaSts: true, cached: true },
};

/**
 * Resolvers for one attempt, because answers cached during an attack must not remain
 * after it.
 */
export interface Resolvers {
  readonly validating: Resolver;
  /**
   * A resolver that accepts every answer, because no answer in the lab carries an AD bit.
   */
  readonly believing: Resolver;
}

export function freshResolvers({ network, upstreams, anchors }: Lab): Resolvers {
  const common = { network, upstreams, timeoutMs: 10_000, attempts: 2 };
  return {
    validating: createResolver({ ...common, anchors }),
    believing: createResolver({ ...common, trustAd: true }),
  };
}

/**
 * Returns a sender of a class, at its first contact or with a policy that it fetched
 * before the attack.
 */
export function senderOf(
  name: SenderClass,
  lab: Lab,
  resolvers: Resolvers,
  known: StsEntry | undefined,
  network: Network = lab.network,
): Sender {
  const { dane, mtaSts, cached } = classes[name];
  const stsCache = memoryStsCache();
  if (cached && known) void stsCache.put(known);
  return createSender({
    network,
    resolver: dane ? resolvers.validating : resolvers.believing,
    trustStore: lab.trustStore,
    stsCache,
    dane,
    mtaSts,
    helo: 'sender.example',
    timeoutMs: 20_000,
    fetchTimeoutMs: 5000,
  });
}

/** Returns the cached policy of a domain after one contact without an attack. */
export async function primed(domain: string, lab: Lab): Promise<StsEntry | undefined> {
  const stsCache: StsCache = memoryStsCache();
  const { network, trustStore } = lab;
  const resolver = freshResolvers(lab).believing;
  await createSender({
    network,
    trustStore,
    resolver,
    stsCache,
    dane: false,
    timeoutMs: 20_000,
    fetchTimeoutMs: 20_000,
  }).policy(domain);
  const entry = stsCache.get(domain);
  return entry?.policy ? entry : undefined;
}
