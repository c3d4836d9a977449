/** Steps on single elements as transforms, for use with `apply`. */
import { TidemarkError } from "../base/errors.ts";
import { keyCoderOf, valueCoderOf } from "../coders/composites.ts";
import type { KV } from "../fn/do-fn.ts";
import type { Timestamp } from "../model/time.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Window } from "../model/window.ts";
import type { SyncOnly } from "../fn/refusals.ts";
import { nodeOf, type PCollection } from "../pipeline/collection.ts";
import { pairCoder, pairCoderByElement } from "../pipeline/derived-coders.ts";
import { splitName } from "../pipeline/naming.ts";
import { addFlatten } from "../pipeline/pipeline.ts";
import { stepTransform } from "../pipeline/transform.ts";
import { elementwise } from "../pipeline/typed-steps.ts";
import type { Repeat, WindowIntoOptions } from "../pipeline/types.ts";

/**
 * Assigns windows, and says when groupings downstream fire. As `collection.windowInto(…)`.
 * Without a WindowFn the elements stay in the windows they are in, and only what is given changes, as by Beam's
 * `Window.configure()`.
 * @param options with a WindowFn, those left out are `defaultTrigger()`, accumulation "discarding", allowedLateness 0 ms,
 * timestampCombiner "endOfWindow", closingBehavior "fireIfNonEmpty", onTimeBehavior "fireAlways"
 * @throws WINDOW_INVALID, TRIGGER_INVALID, TRANSFORM_INVALID
 *
 * @example
 * ```ts
 * p.createTimestamped([at(1000, "a"), at(2000, "a"), at(61_000, "a")])
 *   .apply(windowInto(fixedWindows(seconds(60)), { allowedLateness: seconds(30) }))
 *   .apply(countPerElement()); // -> ["a", 2], ["a", 1]
 * ```
 */
export function windowInto(changes: WindowIntoOptions): <T>(input: PCollection<T>, name?: string) => PCollection<T>;
export function windowInto<W extends Window>(
  windowFn: WindowFn<W>,
  options?: WindowIntoOptions,
): <T>(input: PCollection<T>, name?: string) => PCollection<T>;
export function windowInto(
  windowFn: WindowFn | WindowIntoOptions,
  options?: WindowIntoOptions,
): <T>(input: PCollection<T>, name?: string) => PCollection<T> {
  return stepTransform(<T>(input: PCollection<T>, name?: string) =>
    input.windowInto(...named(name, windowFn as WindowFn, options)),
  );
}

/**
 * Gives each element the event time that `fn` says, in milliseconds.
 * @param options.allowedTimestampSkew how far, in ms, it may lie before the element's present one. Default 0
 * @throws TIMESTAMP_SKEW_INVALID; when the job runs, TIMESTAMP_SKEW and TIMESTAMP_INVALID
 *
 * @example
 * ```ts
 * p.create([{ user: "ann", at: 1000 }])
 *   .apply(withTimestamps((event) => event.at))
 *   .map((event, { timestamp }) => [event.user, timestamp]); // -> ["ann", 1000]
 * ```
 */
export function withTimestamps<T>(
  fn: (element: T) => Timestamp,
  options?: { readonly allowedTimestampSkew?: number },
): (input: PCollection<T>, name?: string) => PCollection<T> {
  return stepTransform((input: PCollection<T>, name?: string) => input.withTimestamps(...named(name, fn, options)));
}

/**
 * Pairs each element with a key. The function is synchronous.
 * @throws ASYNC_NOT_ALLOWED, TRANSFORM_INVALID
 *
 * @example
 * ```ts
 * p.create([{ user: "ann" }]).apply(withKeys((event) => event.user)); // -> ["ann", { user: "ann" }]
 * ```
 */
export function withKeys<T, K>(
  fn: ((element: T) => K) & SyncOnly<K>,
): (input: PCollection<T>, name?: string) => PCollection<KV<K, T>> {
  return stepTransform((input: PCollection<T>, name?: string) => {
    return elementwise<T, KV<K, T>>(
      nodeOf(input),
      { given: name, derived: "WithKeys" },
      "map",
      (element: T) => [fn(element), element],
      {},
      { shape: "kv", coder: pairCoder(undefined, nodeOf(input).coder), keyFn: { fn } },
    );
  });
}

/**
 * The keys of pairs.
 *
 * @example
 * ```ts
 * p.create([["a", 1]]).apply(keys()); // -> "a"
 * ```
 */
export function keys(): <K, V>(input: PCollection<KV<K, V>>, name?: string) => PCollection<K> {
  return stepTransform(<K, V>(input: PCollection<KV<K, V>>, name?: string) => input.keys(name));
}

/**
 * The values of pairs.
 *
 * @example
 * ```ts
 * p.create([["a", 1]]).apply(values()); // -> 1
 * ```
 */
export function values(): <K, V>(input: PCollection<KV<K, V>>, name?: string) => PCollection<V> {
  return stepTransform(<K, V>(input: PCollection<KV<K, V>>, name?: string) => input.values(name));
}

/**
 * Pairs the other way round.
 *
 * @example
 * ```ts
 * p.create([["a", 1]]).apply(kvSwap()); // -> [1, "a"]
 * ```
 */
export function kvSwap(): <K, V>(input: PCollection<KV<K, V>>, name?: string) => PCollection<KV<V, K>> {
  return stepTransform(<K, V>(input: PCollection<KV<K, V>>, name?: string) => {
    const node = nodeOf(input);
    const { coder } = node;
    return elementwise<KV<K, V>, KV<V, K>>(
      node,
      { given: name, derived: "KvSwap" },
      "map",
      ([key, value]: KV<K, V>) => [value, key],
      {},
      { shape: "kv", coder: pairCoderByElement(valueCoderOf(coder), keyCoderOf(coder)) },
    );
  });
}

/**
 * Splits a collection into `parts`, by a function that gives each element's part from 0.
 * @throws PARTITION_INVALID, ASYNC_NOT_ALLOWED; when the job runs, PARTITION_OUT_OF_RANGE
 *
 * @example
 * ```ts
 * const [even, odd] = p.create([1, 2, 3]).apply(partition(2, (n: number) => n % 2));
 * even; // -> 2
 * odd; // -> 1, 3
 * ```
 */
export function partition<T, const N extends number>(
  parts: N,
  fn: (element: T, parts: number) => number,
): (input: PCollection<T>, name?: string) => Repeat<PCollection<T>, N> {
  return stepTransform((input: PCollection<T>, name?: string) => input.partition(...named(name, parts, fn)));
}

/**
 * The same collection. Says that elements should be spread over workers here, and steps before and after not be fused; the
 * embedded engine has one worker and hands elements on.
 *
 * @example
 * ```ts
 * p.create([1, 2])
 *   .apply(reshuffle())
 *   .map(async (n) => n * 2); // -> 2, 4
 * ```
 */
export function reshuffle(): <T>(input: PCollection<T>, name?: string) => PCollection<T> {
  return stepTransform(<T>(input: PCollection<T>, name?: string) => input.reshuffle(name));
}

/**
 * The elements of all collections in one. For collections of different element types, or none: `p.flatten(...)`.
 * @throws FLATTEN_WINDOWING_MISMATCH when their windowings differ; TRANSFORM_INVALID without collections
 *
 * @example
 * ```ts
 * flatten([p.create([1]), p.create([2])]); // -> 1, 2
 * ```
 */
export function flatten<T>(collections: readonly PCollection<T>[]): PCollection<T>;
export function flatten<T>(name: string, collections: readonly PCollection<T>[]): PCollection<T>;
export function flatten(...args: readonly unknown[]): PCollection<never> {
  const { given, rest } = splitName(args);
  const collections = rest[0] as readonly PCollection<never>[];
  const [first] = collections;
  if (first === undefined) {
    throw new TidemarkError("TRANSFORM_INVALID", {
      what: "flatten is given no collections",
      fix: "use p.flatten(), which gives an empty collection",
    });
  }
  return addFlatten(nodeOf(first).builder, given, collections);
}

/** What a method of PCollection is called with: the name first, where there is one. */
function named<A extends readonly unknown[]>(name: string | undefined, ...args: A): [name: string, ...A] {
  // They tell by the first argument whether it is a name; the overload without one takes the same.
  return (name === undefined ? args : [name, ...args]) as [name: string, ...A];
}
