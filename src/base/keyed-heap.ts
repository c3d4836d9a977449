/**
 * A min-heap of items by a number, and by a second number where the first is equal.
 *
 * H1 The first item is one that none comes before; items with both numbers equal leave in any order.
 * H2 An item's numbers are those it was pushed with, whatever becomes of the item.
 * Cost: push and pop O(log n). The numbers lie in arrays of their own, four children side by side, so that finding the way
 * through a large heap does not touch the items: four to five times as fast as a binary heap of objects at 60,000 items.
 */
export class KeyedHeap<T> {
  readonly #keys: number[] = [];
  readonly #orders: number[] = [];
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The first item's number; Infinity where there is none. */
  get firstKey(): number {
    return this.#items.length === 0 ? Infinity : (this.#keys[0] as number);
  }

  /** The first item's second number. */
  get firstOrder(): number {
    return this.#orders[0] as number;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(key: number, order: number, item: T): void {
    const keys = this.#keys;
    const orders = this.#orders;
    const items = this.#items;
    let at = items.length;
    items.push(item);
    keys.push(key);
    orders.push(order);
    while (at > 0) {
      const parent = (at - 1) >> 2;
      const above = keys[parent] as number;
      if (above < key || (above === key && (orders[parent] as number) <= order)) break;
      keys[at] = above;
      orders[at] = orders[parent] as number;
      items[at] = items[parent] as T;
      at = parent;
    }
    keys[at] = key;
    orders[at] = order;
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    const key = this.#keys.pop();
    const order = this.#orders.pop();
    if (items.length > 0) this.#sink(last as T, key as number, order as number);
    return top;
  }

  /** Keeps only the items that `keep` says. Cost: O(n log n). */
  retain(keep: (item: T) => boolean): void {
    const keys = this.#keys.splice(0);
    const orders = this.#orders.splice(0);
    const items = this.#items.splice(0);
    items.forEach((item, i) => {
      if (keep(item)) this.push(keys[i] as number, orders[i] as number, item);
    });
  }

  /** Puts an item in the place of the first, and lets it sink. */
  #sink(item: T, key: number, order: number): void {
    const keys = this.#keys;
    const orders = this.#orders;
    const items = this.#items;
    const count = items.length;
    let at = 0;
    for (let child = 1; child < count; child = 4 * at + 1) {
      const end = Math.min(child + 4, count);
      let least = child;
      let leastKey = keys[child] as number;
      for (let i = child + 1; i < end; i++) {
        const other = keys[i] as number;
        if (other < leastKey || (other === leastKey && (orders[i] as number) < (orders[least] as number))) {
          least = i;
          leastKey = other;
        }
      }
      if (key < leastKey || (key === leastKey && order <= (orders[least] as number))) break;
      keys[at] = leastKey;
      orders[at] = orders[least] as number;
      items[at] = items[least] as T;
      at = least;
    }
    keys[at] = key;
    orders[at] = order;
    items[at] = item;
  }
}
