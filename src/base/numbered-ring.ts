/**
 * A first-in-first-out queue of items with two numbers each, in a ring of arrays that grows and shrinks by half.
 *
 * Cost: O(1), 24 bytes for each place; nothing is allocated between two changes of size.
 */
export class NumberedRing<T> {
  #keys = new Float64Array(LEAST);
  #orders = new Float64Array(LEAST);
  #items: (T | undefined)[] = emptyPlaces(LEAST);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first item's numbers and itself; only where there is one. */
  get firstKey(): number {
    return this.#keys[this.#head] as number;
  }

  get firstOrder(): number {
    return this.#orders[this.#head] as number;
  }

  get first(): T {
    return this.#items[this.#head] as T;
  }

  push(key: number, order: number, item: T): void {
    if (this.#size === this.#items.length) this.#resize(this.#size * 2);
    const at = (this.#head + this.#size++) & (this.#items.length - 1);
    this.#keys[at] = key;
    this.#orders[at] = order;
    this.#items[at] = item;
  }

  /** Takes out the first item; there is one. */
  shift(): T {
    const items = this.#items;
    const item = items[this.#head] as T;
    items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (items.length - 1);
    this.#size--;
    if (items.length > LEAST && this.#size * 4 < items.length) this.#resize(items.length / 2);
    return item;
  }

  /** In order. The queue must not change meanwhile. */
  *entries(): Generator<readonly [item: T, key: number, order: number]> {
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & (this.#items.length - 1);
      yield [this.#items[at] as T, this.#keys[at] as number, this.#orders[at] as number];
    }
  }

  #resize(places: number): void {
    const keys = new Float64Array(places);
    const orders = new Float64Array(places);
    const items = emptyPlaces<T>(places);
    let i = 0;
    for (const [item, key, order] of this.entries()) {
      keys[i] = key;
      orders[i] = order;
      items[i++] = item;
    }
    this.#keys = keys;
    this.#orders = orders;
    this.#items = items;
    this.#head = 0;
  }
}

/** A power of two, as all sizes are. */
const LEAST = 16;

function emptyPlaces<T>(count: number): (T | undefined)[] {
  return Array.from<T | undefined>({ length: count }).fill(undefined);
}
