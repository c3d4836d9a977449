/**
 * Watermark holds of one stage: "do not pass this time yet".
 * Path: timers, calls and parked elements -> HERE -> the stage's output watermark.
 *
 * H1 A time held n times stops counting only after n releases; each hold belongs to whoever got it from `add`.
 * H2 `earliest()` is the least held time, or Infinity when none is held.
 */
import { KeyedHeap } from "../base/keyed-heap.ts";
import type { Timestamp } from "../model/time.ts";

export interface Hold {
  readonly at: Timestamp;
  released: boolean;
}

export class Holds {
  readonly #heap = new KeyedHeap<Hold>();
  #released = 0;

  add(at: Timestamp): Hold {
    const hold: Hold = { at, released: false };
    // Which of two equal holds leaves first is nobody's matter.
    this.#heap.push(at, 0, hold);
    return hold;
  }

  release(hold: Hold): void {
    if (hold.released) return;
    hold.released = true;
    this.#released++;
    // Released holds leave when they reach the top; while they outnumber the rest, they are swept out bit by bit.
    if (this.#released > 1024 && this.#released > this.#heap.size / 2) this.#released -= this.#heap.sweep(isHeld);
  }

  earliest(): number {
    for (let top = this.#heap.peek(); top !== undefined; top = this.#heap.peek()) {
      if (!top.released) return top.at;
      this.#heap.pop();
      this.#released--;
    }
    return Infinity;
  }
}

function isHeld({ released }: Hold): boolean {
  return !released;
}
