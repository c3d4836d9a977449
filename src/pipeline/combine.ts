/** Plain functions over values as CombineFns. */
import type { CombineFn } from "../fn/combine-fn.ts";

/** So many values are kept before the function makes one of them. */
const BUFFERED_MAX = 64;

/** The CombineFn of `combiner`, which may be one already. */
export function toCombineFn(combiner: unknown): CombineFn<unknown, unknown, unknown> {
  if (typeof combiner !== "function") return combiner as CombineFn<unknown, unknown, unknown>;
  return plainCombineFn(combiner as (values: Iterable<unknown>) => unknown) as CombineFn<unknown, unknown, unknown>;
}

/**
 * A CombineFn of a function that makes one value of several, as in `(values) => Math.max(...values)`.
 * The function must be associative and commutative, since it is also applied to its own results.
 */
export function plainCombineFn<V>(fn: (values: Iterable<V>) => V): CombineFn<V, V[], V> {
  const compact = (values: V[]): V[] => (values.length <= 1 ? values : [fn(values)]);
  return Object.freeze({
    name: fn.name === "" ? "Combine" : fn.name,
    createAccumulator: (): V[] => [],
    addInput(values: V[], input: V): V[] {
      values.push(input);
      return values.length < BUFFERED_MAX ? values : compact(values);
    },
    mergeAccumulators: (accumulators: readonly V[][]): V[] => compact(accumulators.flat()),
    extractOutput: (values: V[]): V => fn(values),
    compact,
  });
}
