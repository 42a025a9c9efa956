import { rootAnchors, type TrustAnchor } from '../dnssec/validate/index.js';
import type { Resolver } from '../types.js';
import { createResolver, type ResolverOptions } from './resolver.js';
import { systemUpstreams, type Upstream } from './upstream.js';

/** The DNS part of a job's options: a resolver, or the settings to create one. */
export interface ResolverChoice {
  /** A resolver that replaces `upstreams`, `anchors` and `trustAd`. */
  readonly resolver?: Resolver;
  /** Upstream resolvers. Default: the resolvers of the operating system. */
  readonly upstreams?: readonly Upstream[];
  /** DNSSEC trust anchors. Default: the trust anchors of the root. */
  readonly anchors?: readonly TrustAnchor[];
  readonly trustAd?: boolean;
  /**
   * Tolerance for the inception and expiration times of DNSSEC signatures, seconds.
   * Default 300.
   */
  readonly clockSkew?: number;
}

/** Returns the given resolver, or creates one with defaults for the missing options. */
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
