import { createResolver, type Resolver, type ResolverOptions } from '../dns/index.js';

/**
 * The resolver of the daemon. It survives a reload that leaves its settings as they are,
 * with its cache: answers stay cached for their TTL, so a reload does not repeat every
 * query.
 */
export class SharedResolver {
  #current: { readonly key: string; readonly resolver: Resolver } | undefined;

  /** Returns the resolver for these settings: the previous one if they are unchanged. */
  with(options: ResolverOptions): Resolver {
    const { upstreams, anchors, clockSkew } = options;
    const identity = JSON.stringify([upstreams, anchors, clockSkew], (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
    );
    if (this.#current?.key !== identity)
      this.#current = { key: identity, resolver: createResolver(options) };
    return this.#current.resolver;
  }
}
