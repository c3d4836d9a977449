/** The greatest elements of a window, or of each key. */
import { canonicalKey } from "../coders/key.ts";
import type { KV } from "../fn/do-fn.ts";
import type { KeyedBy } from "../fn/refusals.ts";
import { nodeOf, type PCollection } from "../pipeline/collection.ts";
import type { KeyedResult } from "../pipeline/results.ts";
import { stepTransform } from "../pipeline/transform.ts";
import { combinePerKey } from "../pipeline/typed-steps.ts";
import { type GlobalResult, namedCombineGlobally } from "./combine.ts";
import { type Compare, naturalOrder, topFn, type TopOptions } from "./top-fn.ts";

/**
 * The `n` keys with the greatest numbers of each window, greatest first, each key once, as one array of pairs. For counts and
 * sums: accumulating panes say a key's number again each time it has changed, and must not fill the list with one key; its
 * greatest counts. Of equal numbers the key that comes first in the order of its text is the greater. A window without elements
 * gives none. Cost as `topFn`.
 *
 * With `compare`: the `n` greatest elements of each window, of whatever type, greatest first. Each counts as often as it comes,
 * also pairs of one key.
 * @throws TOP_INVALID when `n` is not a whole number of 1 or more
 *
 * @example
 * ```ts
 * const pairs = p.create([["a", 1], ["a", 2]]);
 * pairs.apply(topPerWindow(2)); // -> [["a", 2]]
 * pairs.apply("All", topPerWindow(2, ([, a]: KV<string, number>, [, b]: KV<string, number>) => a - b)); // -> [["a", 2], ["a", 1]]
 * ```
 */
export function topPerWindow(
  n: number,
): <K>(input: PCollection<KV<K, number>>) => GlobalResult<KV<K, number>, readonly KV<K, number>[]>;
export function topPerWindow<T>(
  n: number,
  compare: Compare<T>,
): (input: PCollection<T>) => GlobalResult<T, readonly T[]>;
export function topPerWindow(n: number, compare?: Compare<unknown>): unknown {
  const fn = compare === undefined ? topFn(n, byNumber, DISTINCT_KEYS) : topFn(n, compare);
  return namedCombineGlobally("TopPerWindow", fn, { withDefault: false });
}

/**
 * The `n` greatest values of each key and window, greatest first. Cost as `topFn`.
 * @param compare default: the order of numbers, bigints or strings
 * @throws TOP_INVALID when `n` is not a whole number of 1 or more
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 3], ["a", 2]]).apply(topPerKey(2)); // -> ["a", [3, 2]]
 * ```
 */
export function topPerKey(
  n: number,
): <K, V extends number | bigint | string>(
  input: KeyedBy<K, PCollection<KV<K, V>>>,
  name?: string,
) => KeyedResult<KV<K, V>, KV<K, readonly V[]>>;
export function topPerKey<V>(
  n: number,
  compare: Compare<V>,
): <K>(input: KeyedBy<K, PCollection<KV<K, V>>>, name?: string) => KeyedResult<KV<K, V>, KV<K, readonly V[]>>;
export function topPerKey(n: number, compare: Compare<never> = naturalOrder): unknown {
  const fn = topFn(n, compare);
  return stepTransform((input: PCollection<KV<unknown, never>>, name?: string) =>
    combinePerKey(nodeOf(input), { given: name, derived: "TopPerKey" }, fn),
  );
}

const DISTINCT_KEYS: TopOptions<KV<unknown, number>> = { distinctBy: ([key]) => canonicalKey(key) };

/** By number; of equal numbers, the key that comes first in the order of its text is the greater, so that the answer does not depend on the order of arrival. */
function byNumber([keyA, a]: KV<unknown, number>, [keyB, b]: KV<unknown, number>): number {
  return naturalOrder(a, b) || naturalOrder(String(keyB), String(keyA));
}
