import type { SecureContext } from 'node:tls';
import { leanContext } from './lean-context.js';

/** Chain and private key of a host, PEM. `version` changes when either does. */
export interface ContextSource {
  version(host: string): string | undefined;
  load(host: string): { readonly chain: string; readonly key: string };
}

export interface LazyContextsOptions {
  readonly source: ContextSource;
  /** Contexts kept, about 24 KiB each outside the JavaScript heap. Default 3000. */
  readonly capacity?: number;
  /**
   * Milliseconds for which a context is used without looking for a newer certificate.
   * Default 10 000.
   */
  readonly freshMs?: number;
  readonly monotonic: () => number;
}

interface Entry {
  readonly context: SecureContext;
  readonly version: string;
  checked: number;
  /** How many entries had been put at the end when this one was. */
  place: number;
}

/**
 * TLS contexts of many hosts, made when a name is first asked for and kept for those
 * asked for last: starting takes no time, memory is bounded by count. A name without
 * certificate has no context, and the handshake is to be refused. [8461-7.1-3]
 */
export class LazyContexts {
  readonly #entries = new Map<string, Entry>();
  readonly #options: Required<LazyContextsOptions>;
  #placed = 0;

  constructor(options: LazyContextsOptions) {
    this.#options = { capacity: 3000, freshMs: 10_000, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  contextFor(host: string): SecureContext | undefined {
    const { source, capacity, freshMs, monotonic } = this.#options;
    const now = monotonic();
    const known = this.#entries.get(host);
    if (known && now - known.checked < freshMs) return this.#used(host, known);
    const version = source.version(host);
    if (version === undefined) {
      this.#entries.delete(host);
      return undefined;
    }
    if (known?.version === version) {
      known.checked = now;
      return this.#used(host, known);
    }
    const { chain, key } = source.load(host);
    const context = leanContext(chain, key);
    this.#entries.delete(host);
    this.#used(host, { context, version, checked: now, place: -Infinity });
    if (this.#entries.size > capacity)
      this.#entries.delete(this.#entries.keys().next().value as string);
    return context;
  }

  /**
   * A Map keeps the order of insertion: the first is the one used longest ago. One that
   * is among the last as it is stays where it is, which takes less time.
   */
  #used(host: string, entry: Entry): SecureContext {
    if (this.#placed - entry.place >= this.#options.capacity / 4) {
      this.#entries.delete(host);
      this.#entries.set(host, entry);
      entry.place = ++this.#placed;
    }
    return entry.context;
  }
}
