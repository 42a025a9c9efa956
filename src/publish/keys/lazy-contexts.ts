import type { SecureContext } from 'node:tls';
import { leanContext } from './lean-context.js';

/**
 * Provides chain and private key of a host, PEM. `version` changes when either changes;
 * it is undefined for a host without a certificate.
 */
export interface ContextSource {
  version(hostName: string): string | undefined;
  load(hostName: string): { readonly chain: string; readonly key: string };
}

/** Source and limits of the contexts. */
export interface LazyContextsOptions {
  readonly source: ContextSource;
  /**
   * Maximum number of cached contexts, 24 KiB each outside the JavaScript heap. Default
   * 3000.
   */
  readonly capacity?: number;
  /** Milliseconds between two checks for a newer certificate. Default 10,000. */
  readonly freshMs?: number;
  /** Returns the time of a monotonic clock, milliseconds. */
  readonly monotonic: () => number;
}

interface CachedContext {
  readonly context: SecureContext;
  readonly version: string;
  checked: number;
  /** Sequence number of the last move to the end of the map. */
  position: number;
}

/**
 * Creates TLS contexts for many hosts on demand, and caches the most recently used ones.
 * The server starts without creating contexts, and their maximum number bounds the
 * memory. A name without a certificate has no context, and its handshake has to be
 * refused. [8461-7.1-3]
 */
export class LazyContexts {
  readonly #entries = new Map<string, CachedContext>();
  readonly #options: Required<LazyContextsOptions>;
  #lastPosition = 0;

  constructor(options: LazyContextsOptions) {
    this.#options = { capacity: 3000, freshMs: 10_000, ...options };
  }

  /** Returns the number of cached contexts. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the context of a host; undefined if the host has no certificate. */
  contextFor(hostName: string): SecureContext | undefined {
    const { source, capacity, freshMs, monotonic } = this.#options;
    const now = monotonic();
    const known = this.#entries.get(hostName);
    if (known && now - known.checked < freshMs) return this.#markUsed(hostName, known);
    const version = source.version(hostName);
    if (version === undefined) {
      this.#entries.delete(hostName);
      return undefined;
    }
    if (known?.version === version) {
      known.checked = now;
      return this.#markUsed(hostName, known);
    }
    const { chain, key } = source.load(hostName);
    const context = leanContext(chain, key);
    this.#entries.delete(hostName);
    this.#markUsed(hostName, { context, version, checked: now, position: -Infinity });
    if (this.#entries.size > capacity)
      this.#entries.delete(this.#entries.keys().next().value as string);
    return context;
  }

  /**
   * Marks an entry as used. A Map keeps the order of insertion, so its first entry is the
   * least recently used one. An entry in the last quarter keeps its position, which saves
   * two map operations for a busy host.
   */
  #markUsed(hostName: string, entry: CachedContext): SecureContext {
    if (this.#lastPosition - entry.position >= this.#options.capacity / 4) {
      this.#entries.delete(hostName);
      this.#entries.set(hostName, entry);
      entry.position = ++this.#lastPosition;
    }
    return entry.context;
  }
}
