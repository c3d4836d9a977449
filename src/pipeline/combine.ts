/** Plain functions over values as CombineFns. */
import type { Coder } from "../coders/coder.ts";
import { iterableCoder } from "../coders/composites.ts";
import type { CombineFn } from "../fn/combine-fn.ts";

/** So many values are kept before the function makes one of them. */
const BUFFERED_MAX = 64;

/** The CombineFn of `combiner`, which may be one already. @param value the coder of the values, where one is given */
export function toCombineFn(combiner: unknown, value?: Coder<unknown>): CombineFn<unknown, unknown, unknown> {
  if (typeof combiner !== "function") return combiner as CombineFn<unknown, unknown, unknown>;
  return plainCombineFn(combiner as (values: Iterable<unknown>) => unknown, value);
}

/**
 * A CombineFn of a function that makes one value of several, as in `(values) => Math.max(...values)`.
 * The function must be associative and commutative, since it is also applied to its own results.
 */
export function plainCombineFn<V>(
  fn: (values: Iterable<V>, sideInputs?: unknown) => V,
  value?: Coder<V>,
): CombineFn<V, V[], V> {
  const compact = (values: V[], sideInputs?: unknown): V[] => (values.length <= 1 ? values : [fn(values, sideInputs)]);
  return Object.freeze({
    name: fn.name === "" ? "Combine" : fn.name,
    createAccumulator: (): V[] => [],
    addInput(values: V[], input: V, sideInputs?: unknown): V[] {
      values.push(input);
      return values.length < BUFFERED_MAX ? values : compact(values, sideInputs);
    },
    mergeAccumulators: (accumulators: readonly V[][], sideInputs?: unknown): V[] =>
      compact(accumulators.flat(), sideInputs),
    extractOutput: (values: V[], sideInputs?: unknown): V => fn(values, sideInputs),
    compact,
    ...(value && { accumulatorCoder: iterableCoder(value) as Coder<V[]> }),
  });
}
