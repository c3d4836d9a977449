/** What a CombineFn with side inputs is given and what it may be given to. Checked by the compiler; nothing here runs. */
import {
  combineGlobally,
  combineGloballyAsSingleton,
  combinePerKey,
  combiningState,
  composeCombineFns,
  sumFn,
  type CombineFn,
  type KV,
  type PCollection,
  type PCollectionView,
} from "tidemark";
import { expectTypeOf } from "vitest";

declare const scores: PCollection<KV<string, number>>;
declare const numbers: PCollection<number>;
declare const rate: PCollectionView<number>;
declare const names: PCollectionView<ReadonlyMap<string, number>>;

type Rate = { readonly rate: PCollectionView<number> };
declare const converted: CombineFn<number, number, string, Rate>;
declare const named: CombineFn<
  number,
  number,
  string,
  { readonly names: PCollectionView<ReadonlyMap<string, number>> }
>;

export function good(): void {
  const inline = scores.combinePerKey(
    {
      createAccumulator: (side) => side.rate,
      addInput: (sum, input, side) => sum + input * side.rate,
      mergeAccumulators: (sums, side) => sums.reduce((a, b) => a + b, side.rate),
      extractOutput: (sum, side) => `${sum} ${side.names.size}`,
    },
    { sideInputs: { rate, names } },
  );
  expectTypeOf(inline).toExtend<PCollection<KV<string, string>>>();
  expectTypeOf(scores.combinePerKey("Convert", converted, { sideInputs: { rate } })).toExtend<
    PCollection<KV<string, string>>
  >();
  // More than it looks at.
  scores.combinePerKey(converted, { sideInputs: { rate, names } });
  scores.combinePerKey(sumFn(), { sideInputs: { rate } });
  scores.combinePerKey((all, side) => Math.max(side.rate, ...all), { sideInputs: { rate } });
  expectTypeOf(numbers.apply(combineGlobally(converted, { sideInputs: { rate } }))).toExtend<PCollection<string>>();
  expectTypeOf(scores.apply(combinePerKey(converted, { sideInputs: { rate } }))).toExtend<
    PCollection<KV<string, string>>
  >();
  const both = composeCombineFns({ total: sumFn(), converted, named });
  expectTypeOf(scores.combinePerKey(both, { sideInputs: { rate, names } })).toExtend<
    PCollection<KV<string, { readonly total: number; readonly converted: string; readonly named: string }>>
  >();
  // Without side inputs the methods are called as before.
  expectTypeOf(sumFn().extractOutput(sumFn().createAccumulator())).toEqualTypeOf<number>();
}

export function bad(): void {
  // @ts-expect-error it needs a rate
  scores.combinePerKey(converted);
  // @ts-expect-error it needs a rate
  scores.combinePerKey(converted, { sideInputs: { names } });
  // @ts-expect-error its rate is a number
  scores.combinePerKey(converted, { sideInputs: { rate: names } });
  // @ts-expect-error a collection is no view
  scores.combinePerKey(converted, { sideInputs: { rate: numbers } });
  // @ts-expect-error it needs a rate, and has names
  numbers.apply(combineGlobally(converted, { sideInputs: { names } }));
  // @ts-expect-error it needs a rate
  scores.apply(combinePerKey(converted));
  // @ts-expect-error there is no side input `other`
  scores.combinePerKey((all, side) => Math.max(side.other, ...all), { sideInputs: { rate } });
  // @ts-expect-error a plain function without side inputs gets values alone
  scores.combinePerKey((all, side) => Math.max(side.rate, ...all));
  // @ts-expect-error the value of a window without elements is there before any view is
  numbers.apply(combineGloballyAsSingleton(converted));
  // @ts-expect-error they need a rate and names
  scores.combinePerKey(composeCombineFns({ converted, named }), { sideInputs: { rate } });
  // @ts-expect-error a cell has no side inputs
  combiningState(named);
}
