/**
 * Changes to a Map that are kept beside it until they are wanted: what a call that may be undone makes of a large map.
 *
 * O1 It reads as the Map would after the same changes, order included; the Map under it is not changed before `applyTo`, and
 *    by nobody else meanwhile.
 * Cost: that of the changes, and never that of the whole Map, but for reading all of it.
 */
export class OverlayMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** New values of keys that keep their place. */
  readonly #changed = new Map<K, V>();
  /** Keys of the Map that are gone, or have come again at the end. */
  readonly #removed = new Set<K>();
  /** Keys that come after the Map's own. */
  readonly #added = new Map<K, V>();

  constructor(base: ReadonlyMap<K, V>) {
    this.#base = base;
  }

  get size(): number {
    return this.#base.size - this.#removed.size + this.#added.size;
  }

  #keeps(key: K): boolean {
    return this.#base.has(key) && !this.#removed.has(key);
  }

  has(key: K): boolean {
    return this.#added.has(key) || this.#keeps(key);
  }

  get(key: K): V | undefined {
    if (!this.#keeps(key)) return this.#added.get(key);
    return this.#changed.has(key) ? this.#changed.get(key) : this.#base.get(key);
  }

  set(key: K, value: V): this {
    (this.#keeps(key) ? this.#changed : this.#added).set(key, value);
    return this;
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    if (this.#added.delete(key)) return true;
    if (!this.#keeps(key)) return false;
    this.#changed.delete(key);
    this.#removed.add(key);
    return true;
  }

  *values(): IterableIterator<V> {
    for (const [key, value] of this.#base) {
      if (!this.#removed.has(key)) yield this.#changed.has(key) ? (this.#changed.get(key) as V) : value;
    }
    yield* this.#added.values();
  }

  /** Makes the changes in `map`, which is the one under it. */
  applyTo(map: Map<K, V>): void {
    for (const key of this.#removed) map.delete(key);
    for (const [key, value] of this.#changed) map.set(key, value);
    for (const [key, value] of this.#added) map.set(key, value);
  }
}
