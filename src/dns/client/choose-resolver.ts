import { rootAnchors, type TrustAnchor } from '../dnssec/validate/index.js';
import type { Resolver } from '../types.js';
import { createResolver, type ResolverOptions } from './resolver.js';
import { systemUpstreams, type Upstream } from './upstream.js';

/** The DNS part of a job's options: a resolver, or the settings to create one. */
export interface ResolverChoice {
  /** Replaces `upstreams`, `anchors` and `trustAd`. */
  readonly resolver?: Resolver;
  /** Default: the system's resolvers. */
  readonly upstreams?: readonly Upstream[];
  /** DNSSEC trust anchors. Default: the trust anchors of the root. */
  readonly anchors?: readonly TrustAnchor[];
  readonly trustAd?: boolean;
  /** Tolerance for the dates of DNSSEC signatures, seconds. Default 300. */
  readonly clockSkew?: number;
}

/** Returns the given resolver, or creates one with every default filled in. */
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
