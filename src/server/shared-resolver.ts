import { createResolver, type Resolver, type ResolverOptions } from '../dns/index.js';

/**
 * The resolver of the daemon. A reload that does not change the settings of the resolver
 * keeps it and its cache, so the daemon does not repeat every query.
 */
export class SharedResolver {
  #current: { readonly key: string; readonly resolver: Resolver } | undefined;

  /**
   * Returns a resolver with these settings: the previous resolver if the settings are
   * unchanged.
   */
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
