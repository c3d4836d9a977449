/**
 * The n greatest of many, in bounded memory.
 *
 * O1 An accumulator is a plain array, greatest first; it never has more than n elements. Of equal ones the first to come stays.
 * O2 Where `distinctBy` is given, no two elements of an accumulator have the same identity: the greater one stays.
 */
import { TidemarkError } from "../base/errors.ts";
import type { Coder } from "../coders/coder.ts";
import { iterableCoder } from "../coders/composites.ts";
import type { CombineFn } from "../fn/combine-fn.ts";

/** As for `Array.sort`: positive where `a` is the greater. */
export type Compare<T> = (a: T, b: T) => number;

/** Options of `topFn`. */
export interface TopOptions<T> {
  /** What an element is about, as something that `===` compares: of several elements about the same, only the greatest counts. */
  readonly distinctBy?: (element: T) => unknown;
}

/** Numbers, bigints and strings in their own order. */
export function naturalOrder<T extends number | bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The `n` greatest inputs, greatest first; fewer where there are fewer. Cost per input: O(1) for one that is not among them,
 * else O(log n) comparisons and up to n places moved; O(n) with `distinctBy`. Merging: O(n) for each accumulator.
 * @throws TOP_INVALID when `n` is not a whole number of 1 or more
 *
 * @example
 * ```ts
 * p.create([5, 1, 4]).apply(combineGlobally(topFn(2, (a: number, b: number) => a - b))); // -> [5, 4]
 * ```
 */
export function topFn<T>(n: number, compare: Compare<T>, options: TopOptions<T> = {}): CombineFn<T, T[], readonly T[]> {
  if (!Number.isInteger(n) || n < 1) {
    throw new TidemarkError("TOP_INVALID", {
      what: `the top ${n} cannot be taken`,
      fix: "give a whole number, 1 or more",
    });
  }
  const { distinctBy } = options;
  const add = (top: T[], input: T): T[] => {
    if (top.length === n && compare(input, top[n - 1] as T) <= 0) return top;
    const same = distinctBy === undefined ? -1 : indexOfSame(top, input, distinctBy);
    if (same >= 0) {
      if (compare(input, top[same] as T) > 0) insert(top, input, same, compare);
    } else {
      if (top.length < n) top.push(input);
      insert(top, input, top.length - 1, compare);
    }
    return top;
  };
  /** Both stay as they are. */
  const merge = (a: readonly T[], b: readonly T[]): T[] => {
    const merged: T[] = [];
    let i = 0;
    let j = 0;
    while (merged.length < n && (i < a.length || j < b.length)) {
      const next = j === b.length || (i < a.length && compare(a[i] as T, b[j] as T) >= 0) ? a[i++] : b[j++];
      if (distinctBy === undefined || indexOfSame(merged, next as T, distinctBy) < 0) merged.push(next as T);
    }
    return merged;
  };
  return Object.freeze({
    name: `Top${n}`,
    createAccumulator: (): T[] => [],
    addInput: add,
    mergeAccumulators(tops: readonly T[][]): T[] {
      let merged = tops[0] ?? [];
      // Of those after the first none is given out itself.
      let borrowed = false;
      for (let i = 1; i < tops.length; i++) {
        const next = tops[i] as T[];
        if (next.length === 0) continue;
        borrowed = merged.length === 0;
        merged = borrowed ? next : merge(merged, next);
      }
      return borrowed ? merged.slice() : merged;
    },
    extractOutput: (top: T[]): readonly T[] => top.slice(),
    codersFor(input: Coder<unknown>) {
      const list = iterableCoder(input) as Coder<unknown>;
      return { accumulatorCoder: list, outputCoder: list };
    },
  });
}

function indexOfSame<T>(top: readonly T[], input: T, distinctBy: (element: T) => unknown): number {
  const identity = distinctBy(input);
  return top.findIndex((element) => distinctBy(element) === identity);
}

/** Puts `element` where it belongs among the first `end`, which it is greater than the last of; that one's place is given up. */
function insert<T>(top: T[], element: T, end: number, compare: Compare<T>): void {
  let low = 0;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(element, top[middle] as T) > 0) high = middle;
    else low = middle + 1;
  }
  for (let i = end; i > low; i--) top[i] = top[i - 1] as T;
  top[low] = element;
}
