/** The weight of values, for a map that is bounded by it too. */
export interface WeightLimit<V> {
  /** The weight of all values together, at most. */
  readonly maximum: number;
  weigh(value: V): number;
}

/**
 * A map that forgets the least recently used entry once it is full, by number or by
 * weight.
 */
export class BoundedMap<V> {
  readonly #entries = new Map<string, { readonly value: V; readonly weight: number }>();
  #weight = 0;

  constructor(
    private readonly limit: number,
    private readonly weight?: WeightLimit<V>,
  ) {}

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    const weight = this.weight?.weigh(value) ?? 0;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    while (this.#entries.size > this.limit || this.#weight > (this.weight?.maximum ?? Infinity))
      this.delete(this.#entries.keys().next().value as string);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#weight -= entry.weight;
    this.#entries.delete(key);
  }

  get size(): number {
    return this.#entries.size;
  }
}
