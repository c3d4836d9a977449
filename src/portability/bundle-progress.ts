/**
 * How far a bundle is, in memory that both threads see: whoever controls the worker answers progress and split from it while
 * user code keeps the worker's own thread busy.
 *
 * G1 An element is claimed before it is processed, and only below the limit; a split lowers the limit, never below what has
 *    been claimed. Both are one word, changed by compare-and-swap, so each element is either processed or given back.
 */

/** Progress of a bundle. */
export interface Progress {
  /** Elements claimed, the one that is being processed included. */
  readonly claimed: number;
  /** Elements that the bundle will process. */
  readonly limit: number;
}

const SHIFT = 32n;
const LOW = 0xffff_ffffn;

export const PROGRESS_BYTES = 8;

export class BundleProgress {
  readonly #words: BigInt64Array;
  readonly #stage: number;

  constructor(buffer: SharedArrayBuffer, stage: number) {
    this.#words = new BigInt64Array(buffer);
    this.#stage = stage;
  }

  /** A bundle of `count` elements begins. */
  begin(count: number): void {
    Atomics.store(this.#words, this.#stage, BigInt(count) << SHIFT);
  }

  /** Whether the next element is still this bundle's; it is then. */
  claim(): boolean {
    for (;;) {
      const word = Atomics.load(this.#words, this.#stage);
      if ((word & LOW) >= word >> SHIFT) return false;
      if (Atomics.compareExchange(this.#words, this.#stage, word, word + 1n) === word) return true;
    }
  }

  read(): Progress {
    const word = Atomics.load(this.#words, this.#stage);
    return { claimed: Number(word & LOW), limit: Number(word >> SHIFT) };
  }

  /**
   * Keeps `fraction` of what is not claimed yet, and gives the rest back.
   * @returns the first element that is not this bundle's any more; `undefined` where nothing could be given back
   */
  split(fraction: number): number | undefined {
    for (;;) {
      const word = Atomics.load(this.#words, this.#stage);
      const claimed = Number(word & LOW);
      const limit = Number(word >> SHIFT);
      const kept = claimed + Math.floor((limit - claimed) * fraction);
      if (kept >= limit) return undefined;
      const next = (BigInt(kept) << SHIFT) | (word & LOW);
      if (Atomics.compareExchange(this.#words, this.#stage, word, next) === word) return kept;
    }
  }
}
