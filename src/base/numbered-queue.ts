/**
 * A first-in-first-out queue of items with two numbers each, in segments: it grows, shrinks and is swept a segment at a time, so
 * that no single operation takes long, however many items there are.
 *
 * Cost: O(1), 24 bytes for each place; O(segment) for each `sweep`.
 */
export class NumberedQueue<T> {
  #head: Segment<T> = new Segment();
  #tail: Segment<T> = this.#head;
  /** One that is empty, for the next that is needed. */
  #spare: Segment<T> | undefined;
  /** The next to be swept; the first where undefined. */
  #swept: Segment<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first item's numbers and itself; only where there is one. */
  get firstKey(): number {
    return this.#head.keys[this.#head.start] as number;
  }

  get firstOrder(): number {
    return this.#head.orders[this.#head.start] as number;
  }

  get first(): T {
    return this.#head.items[this.#head.start] as T;
  }

  push(key: number, order: number, item: T): void {
    let tail = this.#tail;
    if (tail.end === PLACES) {
      tail = tail.next = this.#spare ?? new Segment();
      this.#spare = undefined;
      this.#tail = tail;
    }
    const at = tail.end++;
    tail.keys[at] = key;
    tail.orders[at] = order;
    tail.items[at] = item;
    this.#size++;
  }

  /** Takes out the first item; there is one. */
  shift(): T {
    const head = this.#head;
    const item = head.items[head.start] as T;
    head.items[head.start++] = undefined;
    this.#size--;
    if (head.start === head.end) this.#leaveEmpty();
    return item;
  }

  /** Makes the first segment one that has an item, where there is any. */
  #leaveEmpty(): void {
    while (this.#head.start === this.#head.end) {
      const { next } = this.#head;
      if (next === undefined) {
        this.#head.start = this.#head.end = 0;
        return;
      }
      if (this.#swept === this.#head) this.#swept = undefined;
      this.#spare = this.#head.emptied();
      this.#head = next;
    }
  }

  /** Keeps of the next segment only the items that `keep` says. @returns whether that was the last segment */
  sweep(keep: (item: T, order: number) => boolean): boolean {
    const segment = this.#swept ?? this.#head;
    this.#size -= segment.retain(keep);
    this.#swept = segment.next;
    if (segment === this.#head) this.#leaveEmpty();
    return this.#swept === undefined;
  }

  /** In order. The queue must not change meanwhile. */
  *entries(): Generator<readonly [item: T, order: number]> {
    for (let segment: Segment<T> | undefined = this.#head; segment !== undefined; segment = segment.next)
      for (let i = segment.start; i < segment.end; i++) yield [segment.items[i] as T, segment.orders[i] as number];
  }
}

const PLACES = 512;

class Segment<T> {
  readonly keys = new Float64Array(PLACES);
  readonly orders = new Float64Array(PLACES);
  readonly items: (T | undefined)[] = Array.from<T | undefined>({ length: PLACES }).fill(undefined);
  start = 0;
  end = 0;
  next: Segment<T> | undefined;

  emptied(): this {
    this.start = 0;
    this.end = 0;
    this.next = undefined;
    return this;
  }

  /** @returns how many have gone */
  retain(keep: (item: T, order: number) => boolean): number {
    let to = this.start;
    for (let i = this.start; i < this.end; i++) {
      const item = this.items[i] as T;
      const order = this.orders[i] as number;
      if (!keep(item, order)) continue;
      this.items[to] = item;
      this.orders[to] = order;
      this.keys[to++] = this.keys[i] as number;
    }
    const gone = this.end - to;
    this.items.fill(undefined, to, this.end);
    this.end = to;
    return gone;
  }
}
