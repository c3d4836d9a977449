/** Counts, sums, means and extremes: per key, and of whole windows. */
import type { KV } from "../fn/do-fn.ts";
import type { KeyedBy } from "../fn/refusals.ts";
import type { Late } from "../fn/set-aside.ts";
import type { CollectionNode } from "../pipeline/builder.ts";
import { nodeOf, PCollection } from "../pipeline/collection.ts";
import { pairCoderByElement } from "../pipeline/derived-coders.ts";
import type { KeyedResult } from "../pipeline/results.ts";
import { transform } from "../pipeline/transform.ts";
import { combinePerKey, elementwise } from "../pipeline/typed-steps.ts";
import { type GlobalOptions, type GlobalResult, namedCombineGlobally, namedCombinePerKey } from "./combine.ts";
import { lateElements } from "./late.ts";
import { countFn, maxFn, meanFn, minFn, sumFn } from "./combine-fns.ts";

type PerKey = <K, I extends number>(
  input: KeyedBy<K, PCollection<KV<K, I>>>,
  name?: string,
) => KeyedResult<KV<K, I>, KV<K, number>>;
type Globally = (input: PCollection<number>) => GlobalResult<number, number>;

/**
 * The output of `countPerElement`.
 *
 * @example
 * ```ts
 * const clicks = testStream<string>().addElements(at(1000, "a")).advanceWatermarkTo(60_000).addElements(at(2000, "b"));
 * const counts = p
 *   .apply(clicks.advanceWatermarkToInfinity())
 *   .windowInto(fixedWindows(seconds(60)))
 *   .apply(countPerElement()); // -> ["a", 1]
 * counts.late.map(({ element, lateBy }) => [element, lateBy]); // -> ["b", 1]
 * ```
 */
export class ElementCounts<T> extends PCollection<KV<T, number>> {
  readonly #late: () => PCollection<Late<T>>;

  constructor(node: CollectionNode, late: () => PCollection<Late<T>>) {
    super(node);
    this.#late = late;
  }

  /** What came too late, with window and reason, in the global window. Without it late elements are only counted. */
  get late(): PCollection<Late<T>> {
    return this.#late();
  }
}

/**
 * How often each element occurs in its window. Elements are equal by content, as keys are.
 *
 * @example
 * ```ts
 * p.create(["to", "be", "to"]).apply(countPerElement()); // -> ["to", 2], ["be", 1]
 * ```
 */
export function countPerElement(): <T>(input: KeyedBy<T, PCollection<T>>) => ElementCounts<T> {
  return transform("CountPerElement", <T>(elements: KeyedBy<T, PCollection<T>>) => {
    const input = nodeOf(elements as PCollection<T>);
    const keyed = elementwise<T, KV<T, null>>(
      input,
      { given: "Key", derived: "Key" },
      "map",
      (element: T) => [element, null],
      {},
      { shape: "kv", coder: pairCoderByElement(input.coder, undefined) },
    );
    const counts = combinePerKey<T, null, number>(nodeOf(keyed), { given: "Count", derived: "Count" }, countFn());
    return new ElementCounts<T>(nodeOf(counts), lateElements(elements as PCollection<T>, counts, 0));
  });
}

/**
 * How many values each key has in its window.
 *
 * @example
 * ```ts
 * p.create([["a", "x"], ["a", "y"]]).apply(countPerKey()); // -> ["a", 2]
 * ```
 */
export function countPerKey(): <K, V>(
  input: KeyedBy<K, PCollection<KV<K, V>>>,
  name?: string,
) => KeyedResult<KV<K, V>, KV<K, number>> {
  return namedCombinePerKey<unknown, number>("CountPerKey", countFn());
}

/**
 * How many elements a window has.
 * @param options as of `combineGlobally`
 * @throws COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW
 *
 * @example
 * ```ts
 * p.create(["a", "b"]).apply(countGlobally()); // -> 2
 * ```
 */
export function countGlobally(options?: GlobalOptions): <T>(input: PCollection<T>) => GlobalResult<T, number> {
  return transform("CountGlobally", <T>(input: PCollection<T>) =>
    namedCombineGlobally<T, number>("CountGlobally", countFn(), options)(input),
  );
}

/**
 * The sum of each key's values.
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 2]]).apply(sumPerKey()); // -> ["a", 3]
 * ```
 */
export function sumPerKey(): PerKey {
  return namedCombinePerKey<number, number>("SumPerKey", sumFn());
}

/**
 * The sum of a window's elements; 0 of none.
 * @param options as of `combineGlobally`
 * @throws COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW
 *
 * @example
 * ```ts
 * p.create([1, 2]).apply(sumGlobally()); // -> 3
 * p.create<number>([]).apply(sumGlobally()); // -> 0
 * ```
 */
export function sumGlobally(options?: GlobalOptions): Globally {
  return namedCombineGlobally("SumGlobally", sumFn(), options);
}

/**
 * The mean of each key's values.
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 2]]).apply(meanPerKey()); // -> ["a", 1.5]
 * ```
 */
export function meanPerKey(): PerKey {
  return namedCombinePerKey<number, number>("MeanPerKey", meanFn());
}

/**
 * The mean of a window's elements; NaN of none.
 * @param options as of `combineGlobally`
 * @throws COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW
 *
 * @example
 * ```ts
 * p.create([1, 2]).apply(meanGlobally()); // -> 1.5
 * p.create<number>([]).apply(meanGlobally()); // -> NaN
 * ```
 */
export function meanGlobally(options?: GlobalOptions): Globally {
  return namedCombineGlobally("MeanGlobally", meanFn(), options);
}

/**
 * The least of each key's values.
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 2]]).apply(minPerKey()); // -> ["a", 1]
 * ```
 */
export function minPerKey(): PerKey {
  return namedCombinePerKey<number, number>("MinPerKey", minFn());
}

/**
 * The least of a window's elements; Infinity of none.
 * @param options as of `combineGlobally`
 * @throws COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW
 *
 * @example
 * ```ts
 * p.create([2, 1]).apply(minGlobally()); // -> 1
 * p.create<number>([]).apply(minGlobally()); // -> Infinity
 * ```
 */
export function minGlobally(options?: GlobalOptions): Globally {
  return namedCombineGlobally("MinGlobally", minFn(), options);
}

/**
 * The greatest of each key's values.
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 2]]).apply(maxPerKey()); // -> ["a", 2]
 * ```
 */
export function maxPerKey(): PerKey {
  return namedCombinePerKey<number, number>("MaxPerKey", maxFn());
}

/**
 * The greatest of a window's elements; −Infinity of none.
 * @param options as of `combineGlobally`
 * @throws COMBINE_DEFAULT_NEEDS_GLOBAL_WINDOW
 *
 * @example
 * ```ts
 * p.create([2, 1]).apply(maxGlobally()); // -> 2
 * p.create<number>([]).apply(maxGlobally()); // -> -Infinity
 * ```
 */
export function maxGlobally(options?: GlobalOptions): Globally {
  return namedCombineGlobally("MaxGlobally", maxFn(), options);
}
