/**
 * The random numbers of `java.util.Random`, bit for bit, as its documentation defines them.
 *
 * J1 The 48 bits of state are two halves of 24: products of a half stay below 2^53, where doubles are exact.
 */

const HALF = 2 ** 24;
const MULTIPLIER_HIGH = 0x5de;
const MULTIPLIER_LOW = 0xece66d;
const INCREMENT = 0xb;

/** One sequence of numbers; `reset` begins another one. */
export class JavaRandom {
  #high = 0;
  #low = 0;

  /** Begins the sequence of `seed`, a whole number from 0 to 2^48 - 1. */
  reset(seed: number): void {
    this.#high = Math.floor(seed / HALF) ^ MULTIPLIER_HIGH;
    this.#low = (seed % HALF) ^ MULTIPLIER_LOW;
  }

  /** The upper 32 of the next 48 bits, as an unsigned number. */
  #next(): number {
    const low = this.#low * MULTIPLIER_LOW + INCREMENT;
    const carry = Math.floor(low / HALF);
    const high = this.#high * MULTIPLIER_LOW + this.#low * MULTIPLIER_HIGH + carry;
    this.#low = low % HALF;
    this.#high = high % HALF;
    return this.#high * 256 + (this.#low >>> 16);
  }

  /** A whole number from -2^31 to 2^31 - 1. */
  int(): number {
    return this.#next() | 0;
  }

  /** A whole number from 0 to `bound - 1`; `bound` from 1 to 2^31 - 1. */
  below(bound: number): number {
    const mask = bound - 1;
    let bits = this.#next() >>> 1;
    // A power of two takes the upper bits, which are better than the lower ones.
    if ((bound & mask) === 0) return Math.floor((bits * bound) / 2 ** 31);
    let value = bits % bound;
    // What is left above the last whole multiple of `bound` would favour small values: draw again.
    while (bits - value + mask >= 2 ** 31) {
      bits = this.#next() >>> 1;
      value = bits % bound;
    }
    return value;
  }

  /** From 0 up to but without 1. */
  double(): number {
    const upper = this.#next() >>> 6;
    const lower = this.#next() >>> 5;
    return (upper * 2 ** 27 + lower) / 2 ** 53;
  }
}
