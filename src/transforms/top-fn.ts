/**
 * The n greatest of many, in bounded memory.
 *
 * O1 An accumulator is a binary heap in a plain array, the least element first; it never has more than n elements.
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
 * else O(log n), and O(n) with `distinctBy`.
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
  const add = (heap: T[], input: T): T[] => {
    if (heap.length === n && compare(input, heap[0] as T) <= 0) return heap;
    const same = distinctBy === undefined ? -1 : indexOfSame(heap, input, distinctBy);
    if (same >= 0) {
      if (compare(input, heap[same] as T) > 0) siftDown(heap, same, input, compare);
    } else if (heap.length < n) siftUp(heap, input, compare);
    else siftDown(heap, 0, input, compare);
    return heap;
  };
  return Object.freeze({
    name: `Top${n}`,
    createAccumulator: (): T[] => [],
    addInput: add,
    mergeAccumulators(heaps: readonly T[][]): T[] {
      const merged: T[] = [];
      for (const heap of heaps) for (const element of heap) add(merged, element);
      return merged;
    },
    extractOutput: (heap: T[]): readonly T[] => heap.toSorted((a, b) => compare(b, a)),
    codersFor(input: Coder<unknown>) {
      const list = iterableCoder(input) as Coder<unknown>;
      return { accumulatorCoder: list, outputCoder: list };
    },
  });
}

function indexOfSame<T>(heap: readonly T[], input: T, distinctBy: (element: T) => unknown): number {
  const identity = distinctBy(input);
  return heap.findIndex((element) => distinctBy(element) === identity);
}

/** Appends `element` and lets it rise over greater parents. */
function siftUp<T>(heap: T[], element: T, compare: Compare<T>): void {
  let at = heap.length;
  heap.push(element);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as T;
    if (compare(element, above) >= 0) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = element;
}

/** Puts `element` in the place `at`, whose element it is greater than, and lets it sink under lesser children. */
function siftDown<T>(heap: T[], at: number, element: T, compare: Compare<T>): void {
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && compare(heap[child + 1] as T, heap[child] as T) < 0) child++;
    if (compare(heap[child] as T, element) >= 0) break;
    heap[at] = heap[child] as T;
    at = child;
  }
  heap[at] = element;
}
