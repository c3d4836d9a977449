/** Plain functions over values as CombineFns. */
import type { Coder } from "../coders/coder.ts";
import { iterableCoder } from "../coders/composites.ts";
import type { AnyCombine, CombineFn } from "../fn/combine-fn.ts";

/** So many values are kept before the function makes one of them. */
const BUFFERED_MAX = 64;

/** The CombineFn of `combiner`, which may be one already. @param input the coder of its inputs, where one is given */
export function toCombineFn(combiner: unknown, input?: Coder<unknown>): AnyCombine {
  if (typeof combiner === "function") return plainCombineFn(combiner as (values: Iterable<unknown>) => unknown, input);
  const fn = combiner as AnyCombine;
  if (input === undefined || typeof fn.codersFor !== "function") return fn;
  const derived = fn.codersFor(input);
  const accumulatorCoder = fn.accumulatorCoder ?? derived.accumulatorCoder;
  const outputCoder = fn.outputCoder ?? derived.outputCoder;
  // Bound, and not copied: it may be an instance of a class with fields of its own.
  return Object.freeze<AnyCombine>({
    ...(fn.name !== undefined && { name: fn.name }),
    createAccumulator: fn.createAccumulator.bind(fn),
    addInput: fn.addInput.bind(fn),
    mergeAccumulators: fn.mergeAccumulators.bind(fn),
    extractOutput: fn.extractOutput.bind(fn),
    ...(fn.compact && { compact: fn.compact.bind(fn) }),
    ...(accumulatorCoder && { accumulatorCoder }),
    ...(outputCoder && { outputCoder }),
  });
}

/**
 * A CombineFn of a function that makes one value of several, as in `(values) => Math.max(...values)`.
 * The function must be associative and commutative, since it is also applied to its own results.
 */
export function plainCombineFn<V>(
  fn: (values: Iterable<V>, sideInputs?: unknown) => V,
  input?: Coder<V>,
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
    ...(input && { accumulatorCoder: iterableCoder(input) as Coder<V[]>, outputCoder: input }),
  });
}
