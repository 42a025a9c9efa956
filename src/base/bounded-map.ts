/**
 * A second bound for {@link BoundedMap}: the sum of the weights of all values, such as
 * octets.
 */
export interface WeightLimit<V> {
  /** Upper limit of the sum of all weights. */
  readonly maximum: number;
  weigh(value: V): number;
}

/** The number of changes without an eviction after which a map discards its iterator. */
const MAX_TOUCHES = 1000;

/**
 * A map with bounded memory. It evicts the least recently used entry when the number of
 * entries, or the sum of their weights, exceeds its limit. Peers cause most cache
 * entries, so every cache in this package has a limit.
 */
export class BoundedMap<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly weight: number }>();
  #weight = 0;
  /**
   * Continues after the last evicted entry: a new iterator would first pass the places of
   * all entries that were removed since the map last grew. An iterator that is never used
   * keeps each earlier table of the map in memory, so the map discards it after some
   * changes.
   */
  #oldest: Iterator<string> | undefined;
  #touches = 0;

  constructor(
    private readonly limit: number,
    private readonly weight?: WeightLimit<V>,
  ) {}

  get(cacheKey: string): V | undefined {
    const entry = this.#entries.get(cacheKey);
    if (!entry) return undefined;
    this.#entries.delete(cacheKey);
    this.#entries.set(cacheKey, entry);
    this.#touch();
    return entry.value;
  }

  set(cacheKey: string, value: V): void {
    this.delete(cacheKey);
    const weight = this.weight?.weigh(value) ?? 0;
    this.#entries.set(cacheKey, { value, weight });
    this.#weight += weight;
    this.#touch();
    while (this.#entries.size > this.limit || this.#weight > (this.weight?.maximum ?? Infinity))
      this.#evict();
  }

  delete(cacheKey: string): void {
    const entry = this.#entries.get(cacheKey);
    if (!entry) return;
    this.#weight -= entry.weight;
    this.#entries.delete(cacheKey);
  }

  get size(): number {
    return this.#entries.size;
  }

  #touch(): void {
    if (++this.#touches > MAX_TOUCHES) this.#oldest = undefined;
  }

  /** Evicts the next entry of the iterator: the entries before it are already removed. */
  #evict(): void {
    this.#touches = 0;
    this.#oldest ??= this.#entries.keys();
    const next = this.#oldest.next();
    if (next.done) this.#oldest = undefined;
    else this.delete(next.value);
  }
}
