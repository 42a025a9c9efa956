import { rootAnchors, type TrustAnchor } from '../dnssec/validate/index.js';
import type { Resolver } from '../types.js';
import { createResolver, type ResolverOptions } from './resolver.js';
import { systemUpstreams, type Upstream } from './upstream.js';

/** Which resolver a job asks: the part of its options that is about DNS. */
export interface ResolverChoice {
  /** Takes the place of `upstreams`, `anchors` and `trustAd`. */
  readonly resolver?: Resolver;
  /** Default: the system's resolvers. */
  readonly upstreams?: readonly Upstream[];
  /** DNSSEC trust anchors. Default: the root's. */
  readonly anchors?: readonly TrustAnchor[];
  readonly trustAd?: boolean;
  /** Seconds by which a DNSSEC signature may miss its dates. Default 300. */
  readonly clockSkew?: number;
}

/** The resolver that was chosen, with every default filled in. */
export function chooseResolver(
  { resolver, upstreams, anchors = rootAnchors, trustAd, clockSkew }: ResolverChoice,
  more: Pick<ResolverOptions, 'network' | 'clock' | 'roots'>,
): Resolver {
  return (
    resolver ??
    createResolver({
      ...more,
      upstreams: upstreams ?? systemUpstreams(),
      anchors,
      trustAd,
      clockSkew,
    })
  );
}
