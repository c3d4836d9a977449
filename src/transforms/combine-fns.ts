/**
 * CombineFns with small accumulators: numbers, pairs, short arrays. All are plain data, so that they can be checkpointed.
 */
import { TidemarkError } from "../base/errors.ts";
import { preview } from "../base/preview.ts";
import type { Coder } from "../coders/coder.ts";
import type { CombineCoders, CombineFn } from "../fn/combine-fn.ts";
import type { SideInputs } from "../fn/view.ts";
import { toCombineFn } from "../pipeline/combine.ts";
import { recordCoder, tupleCoder } from "../pipeline/derived-coders.ts";

/**
 * The sum of numbers; 0 of none.
 * @throws NOT_A_NUMBER when a sum is put out that texts were joined to: `+` does that in JavaScript
 *
 * @example
 * ```ts
 * p.create([["a", 1], ["a", 2]]).combinePerKey(sumFn()); // -> ["a", 3]
 * ```
 */
export function sumFn(): CombineFn<number, number, number> {
  return Object.freeze({
    name: "Sum",
    createAccumulator: () => 0,
    addInput: (sum: number, input: number) => sum + input,
    mergeAccumulators: (sums: readonly number[]) => sums.reduce((a, b) => a + b, 0),
    extractOutput: (sum: number) => numeric("sum", sum),
  });
}

/**
 * How many inputs there are, whatever they are.
 *
 * @example
 * ```ts
 * p.create(["a", "b"]).apply(combineGlobally(countFn())); // -> 2
 * ```
 */
export function countFn(): CombineFn<unknown, number, number> {
  return Object.freeze({
    name: "Count",
    createAccumulator: () => 0,
    addInput: (count: number) => count + 1,
    mergeAccumulators: (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0),
    extractOutput: (count: number) => count,
  });
}

/**
 * The arithmetic mean of numbers; NaN of none.
 * @throws NOT_A_NUMBER as `sumFn` does
 *
 * @example
 * ```ts
 * p.create([1, 2, 6]).apply(combineGlobally(meanFn())); // -> 3
 * ```
 */
export function meanFn(): CombineFn<number, [sum: number, count: number], number> {
  return Object.freeze({
    name: "Mean",
    createAccumulator: (): [number, number] => [0, 0],
    addInput(mean: [number, number], input: number): [number, number] {
      mean[0] += input;
      mean[1]++;
      return mean;
    },
    mergeAccumulators(means: readonly [number, number][]): [number, number] {
      const merged: [number, number] = [0, 0];
      for (const [sum, count] of means) {
        merged[0] += sum;
        merged[1] += count;
      }
      return merged;
    },
    extractOutput: ([sum, count]: [number, number]) => numeric("mean", sum) / count,
  });
}

/** Looked at where a sum is put out, since a look at each input would cost at each. */
function numeric(what: string, sum: number): number {
  if (typeof sum === "number") return sum;
  throw new TidemarkError("NOT_A_NUMBER", {
    what: `a ${what} came to ${preview(sum)}`,
    why: "one of its inputs is no number, and + joins texts",
    fix: "make numbers of the inputs before: .map(([key, value]) => [key, Number(value)])",
  });
}

/**
 * The least number; Infinity of none, NaN where one input is NaN.
 *
 * @example
 * ```ts
 * p.create([3, 1, 2]).apply(combineGlobally(minFn())); // -> 1
 * ```
 */
export function minFn(): CombineFn<number, number, number> {
  return extreme("Min", Infinity, Math.min);
}

/**
 * The greatest number; −Infinity of none, NaN where one input is NaN.
 *
 * @example
 * ```ts
 * p.create([3, 1, 2]).apply(combineGlobally(maxFn())); // -> 3
 * ```
 */
export function maxFn(): CombineFn<number, number, number> {
  return extreme("Max", -Infinity, Math.max);
}

function extreme(
  name: string,
  ofNone: number,
  pick: (a: number, b: number) => number,
): CombineFn<number, number, number> {
  return Object.freeze({
    name,
    createAccumulator: () => ofNone,
    addInput: (best: number, input: number) => pick(best, input),
    mergeAccumulators: (bests: readonly number[]) => bests.reduce((a, b) => pick(a, b), ofNone),
    extractOutput: (best: number) => best,
  });
}

type AnyCombineFn = CombineFn<never, unknown, unknown, never>;
type OutputOf<F> = F extends { extractOutput(accumulator: never, ...sideInputs: never): infer O } ? O : never;
/** The inputs of all functions at once: an intersection. */
type InputOf<F> = (
  F extends { addInput(accumulator: never, input: infer I, ...sideInputs: never): unknown } ? (input: I) => void : never
) extends (input: infer I) => void
  ? I
  : never;

/** The side inputs of all functions. */
type SideInputsOf<F> = (
  F extends CombineFn<never, infer _A, unknown, infer V> ? (sideInputs: V) => void : never
) extends (sideInputs: infer V extends SideInputs) => void
  ? V
  : never;

/**
 * Several CombineFns over the same inputs as one, whose output has theirs by name. It needs the side inputs of all of them.
 *
 * @example
 * ```ts
 * const fn = composeCombineFns({ total: sumFn(), mean: meanFn() });
 * p.create([1, 2, 6]).apply(combineGlobally(fn)); // -> { total: 9, mean: 3 }
 * ```
 */
export function composeCombineFns<const F extends Readonly<Record<string, AnyCombineFn>>>(
  fns: F,
): CombineFn<InputOf<F[keyof F]>, unknown[], { readonly [N in keyof F]: OutputOf<F[N]> }, SideInputsOf<F[keyof F]>> {
  const names = Object.keys(fns);
  const parts = Object.values(fns) as unknown as CombineFn<unknown, unknown, unknown, SideInputs>[];
  const codersOf = (coders: readonly CombineCoders[]): CombineCoders & { accumulatorCoder?: Coder<unknown[]> } => {
    const accumulators = coders.map(({ accumulatorCoder }) => accumulatorCoder);
    const accumulatorCoder = tupleCoder("accumulators", accumulators) as Coder<unknown[]> | undefined;
    const outputs = coders.map(({ outputCoder }) => outputCoder);
    const outputCoder = recordCoder("outputs", names, outputs);
    return { ...(accumulatorCoder && { accumulatorCoder }), ...(outputCoder && { outputCoder }) };
  };
  const composed: CombineFn<unknown, unknown[], unknown, SideInputs> = {
    name: parts.map((part) => part.name ?? "Combine").join("+"),
    createAccumulator: (side) => parts.map((part) => part.createAccumulator(side)),
    addInput(accumulators, input, side) {
      parts.forEach((part, i) => (accumulators[i] = part.addInput(accumulators[i], input, side)));
      return accumulators;
    },
    mergeAccumulators: (several, side) =>
      parts.map((part, i) =>
        part.mergeAccumulators(
          several.map((accumulators) => accumulators[i]),
          side,
        ),
      ),
    extractOutput: (accumulators, side) =>
      Object.fromEntries(parts.map((part, i) => [names[i], part.extractOutput(accumulators[i], side)])),
    compact: (accumulators, side) => parts.map((part, i) => part.compact?.(accumulators[i], side) ?? accumulators[i]),
    ...codersOf(parts),
    codersFor: (input) => codersOf(parts.map((part) => toCombineFn(part, input))),
  };
  return Object.freeze(composed) as never;
}
