import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CombineFn } from "../fn/combine-fn.ts";
import { plainCombineFn } from "../pipeline/combine.ts";
import { composeCombineFns, countFn, maxFn, meanFn, minFn, sumFn } from "./combine-fns.ts";
import { naturalOrder, topFn } from "./top-fn.ts";

const SEED = 20261123;

/** Combines `parts`, an accumulator each, and merges these; accumulators go through `structuredClone` and `compact` on the way, as storing them does. */
function combineParts<I, A, O>(fn: CombineFn<I, A, O>, parts: readonly (readonly I[])[]): O {
  const accumulators = parts.map((inputs) => {
    const accumulator = inputs.reduce((sum, input) => fn.addInput(sum, input), fn.createAccumulator());
    return structuredClone(fn.compact?.(accumulator) ?? accumulator);
  });
  return fn.extractOutput(accumulators.length === 0 ? fn.createAccumulator() : fn.mergeAccumulators(accumulators));
}

/** `fn` of any split into parts is `expected` of all inputs. */
function checkCombines<I, A, O>(
  fn: CombineFn<I, A, O>,
  input: fc.Arbitrary<I>,
  expected: (all: readonly I[]) => O,
): void {
  fc.assert(
    fc.property(fc.array(fc.array(input, { maxLength: 100 }), { maxLength: 4 }), (parts) => {
      expect(combineParts(fn, parts)).toEqual(expected(parts.flat()));
    }),
    { seed: SEED, numRuns: 100 },
  );
}

const int = fc.integer({ min: -1000, max: 1000 });
const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
const descending = (all: readonly number[]): number[] => all.toSorted((a, b) => b - a);

describe("combine-fn C2: however inputs are split and merged, the output is that of all of them", () => {
  test("sum", () => checkCombines(sumFn(), int, sum));
  test("count", () => checkCombines(countFn(), int, (all) => all.length));
  test("mean, NaN of nothing", () => checkCombines(meanFn(), int, (all) => sum(all) / all.length));
  test("min, Infinity of nothing", () => checkCombines(minFn(), int, (all) => Math.min(...all)));
  test("max, -Infinity of nothing", () => checkCombines(maxFn(), int, (all) => Math.max(...all)));
  test("the top 3, greatest first", () =>
    checkCombines(topFn(3, naturalOrder<number>), int, (all) => descending(all).slice(0, 3)));
  test("the top 1", () => checkCombines(topFn(1, naturalOrder<number>), int, (all) => descending(all).slice(0, 1)));
  test("a plain function", () =>
    checkCombines(
      plainCombineFn((values: Iterable<number>) => sum([...values])),
      int,
      sum,
    ));
  test("composed functions", () => {
    checkCombines(
      composeCombineFns({ sum: sumFn(), n: countFn(), first: topFn(1, naturalOrder<number>) }),
      int,
      (all) => ({
        sum: sum(all),
        n: all.length,
        first: descending(all).slice(0, 1),
      }),
    );
  });
  test("top-fn O2: the top of distinct keys has each key once, with its greatest number", () => {
    const byNumber = (a: readonly [string, number], b: readonly [string, number]): number =>
      a[1] - b[1] || naturalOrder(a[0], b[0]);
    const pair = fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), fc.nat(20));
    checkCombines(topFn(3, byNumber, { distinctBy: ([key]) => key }), pair, (all) => {
      const best = new Map<string, number>();
      for (const [key, n] of all) best.set(key, Math.max(n, best.get(key) ?? 0));
      return [...best].toSorted((a, b) => byNumber(b, a)).slice(0, 3);
    });
  });
});

describe("small accumulators", () => {
  test("top-fn O1: the top n never keeps more than n elements", () => {
    const fn = topFn(5, naturalOrder<number>);
    let heap = fn.createAccumulator();
    for (let n = 0; n < 1000; n++) {
      heap = fn.addInput(heap, (n * 7919) % 1000);
      expect(heap.length).toBeLessThanOrEqual(5);
    }
    expect(fn.extractOutput(heap)).toEqual([999, 998, 997, 996, 995]);
  });

  test("a plain function is applied before its values become many", () => {
    const fn = plainCombineFn((values: Iterable<number>) => Math.max(...values));
    let values = fn.createAccumulator();
    for (let n = 0; n < 10_000; n++) {
      values = fn.addInput(values, n);
      expect(values.length).toBeLessThan(65);
    }
    expect(fn.extractOutput(values)).toBe(9999);
  });

  test("extracting leaves the accumulator as it was: it is extracted again for each pane", () => {
    const fn = topFn(2, naturalOrder<number>);
    const heap = [5, 1, 4].reduce((into, n) => fn.addInput(into, n), fn.createAccumulator());
    expect(fn.extractOutput(heap)).toEqual(fn.extractOutput(heap));
    expect(fn.extractOutput(fn.addInput(heap, 9))).toEqual([9, 5]);
  });
});

test.each([0, -1, 1.5, NaN])("TOP_INVALID: the top %d", (n) => {
  expect(() => topFn(n, naturalOrder<number>)).toThrow(expect.objectContaining({ code: "TOP_INVALID" }) as Error);
});

test("NaN is not lost in a minimum or maximum", () => {
  for (const fn of [minFn(), maxFn()]) expect(combineParts(fn, [[1, NaN], [2]])).toBeNaN();
});

test.each([
  ["sum", sumFn()],
  ["mean", meanFn()],
] as [string, CombineFn<number, unknown, number>][])(
  "a %s of texts is an error, not a text or another number",
  (name, fn) => {
    const accumulator = ["1", "2"].reduce((sum, input) => fn.addInput(sum, input as never), fn.createAccumulator());
    expect(() => fn.extractOutput(accumulator)).toThrow(`a ${name} came to "012"`);
    expect(() => fn.extractOutput(fn.mergeAccumulators([accumulator, accumulator]))).toThrow("NOT_A_NUMBER");
  },
);

test("merging tops leaves what is merged as it was, and gives out none of it but the first", () => {
  const top = topFn(2, naturalOrder<number>);
  const few = fc.array(fc.array(int, { maxLength: 3 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(few, int, (parts, more) => {
      const accumulators = parts.map((inputs) =>
        inputs.reduce((sum, n) => top.addInput(sum, n), top.createAccumulator()),
      );
      const before = structuredClone(accumulators);
      const merged = top.mergeAccumulators([top.createAccumulator(), ...accumulators]);
      top.addInput(merged, more);
      expect(accumulators).toEqual(before);
    }),
    { seed: SEED, numRuns: 200 },
  );
});
