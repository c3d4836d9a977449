/** What can be a key, and what must be synchronous: the compiler says so. Nothing here runs. */
import {
  coGroupByKey,
  combinePerKey,
  combiningState,
  countPerElement,
  countPerKey,
  doubleCoder,
  eventTimer,
  groupByKey,
  mapState,
  setState,
  sumFn,
  sumPerKey,
  topPerKey,
  valueState,
  varintCoder,
  type Coder,
  type CombineFn,
  type DeterministicCoder,
  type KV,
  type PCollection,
  type Pipeline,
} from "tidemark";
import { expectTypeOf } from "vitest";

declare const p: Pipeline;
interface Place {
  readonly lat: number;
  readonly tags: readonly string[];
}
class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
  double(): number {
    return this.x * 2;
  }
}

export function keys(
  functions: PCollection<KV<() => void, number>>,
  symbols: PCollection<KV<symbol, number>>,
  promises: PCollection<KV<Promise<string>, number>>,
  classes: PCollection<KV<typeof Point, number>>,
  some: PCollection<KV<string | symbol, number>>,
): void {
  // @ts-expect-error a function is no key
  functions.groupByKey();
  // @ts-expect-error a symbol is no key
  symbols.groupByKey("Group");
  // @ts-expect-error a promise is no key
  promises.groupByKey();
  // @ts-expect-error a class is no key
  classes.groupByKey();
  // @ts-expect-error some of them are no keys
  some.groupByKey();
  // @ts-expect-error a function is no key
  functions.combinePerKey(sumFn());
  // @ts-expect-error a symbol is no key
  symbols.combinePerKey("Sum", sumFn());
  // @ts-expect-error a promise is no key
  promises.combinePerKey((all) => Math.max(...all));
  // @ts-expect-error a function is no key
  functions.keys().apply(countPerElement());
  // @ts-expect-error a symbol is no key
  symbols.keys().apply("Count", countPerElement());
  // @ts-expect-error a promise is no key
  promises.keys().apply(countPerElement());
  // @ts-expect-error a function is no key
  functions.parDo({ state: { n: valueState<number>() }, process: () => [1] });
  // @ts-expect-error a symbol is no key
  symbols.parDo("Keep", { timers: { flush: eventTimer() }, process: () => [1] });
  // @ts-expect-error a promise is no key
  promises.parDo({ state: { n: valueState<number>() }, process: () => [1] });
  // @ts-expect-error a function is no key
  functions.apply(groupByKey());
  // @ts-expect-error a symbol is no key
  symbols.apply(combinePerKey(sumFn()));
  // @ts-expect-error a symbol is no key
  symbols.apply(sumPerKey());
  // @ts-expect-error a promise is no key
  promises.apply(countPerKey());
  // @ts-expect-error a function is no key
  functions.apply(topPerKey(2));
  // @ts-expect-error a function is no key
  coGroupByKey({ functions });
  // Without state nothing is keyed.
  expectTypeOf(functions.parDo({ process: () => [1] })).toExtend<PCollection<number>>();
}

export function whatCanBeAKey(
  places: PCollection<KV<Place, number>>,
  points: PCollection<KV<Point, number>>,
  unknowns: PCollection<KV<unknown, number>>,
  // oxlint-disable-next-line typescript/no-explicit-any -- such a program has to compile
  anything: PCollection<KV<any, number>>,
  nullable: PCollection<KV<string | null | undefined, number>>,
): void {
  expectTypeOf(places.groupByKey()).toExtend<PCollection<KV<Place, readonly number[]>>>();
  expectTypeOf(points.groupByKey({ keyCoder: {} as DeterministicCoder<Point> })).toExtend<
    PCollection<KV<Point, readonly number[]>>
  >();
  expectTypeOf(unknowns.combinePerKey(sumFn())).toExtend<PCollection<KV<unknown, number>>>();
  anything.groupByKey();
  anything.combinePerKey(sumFn());
  anything.parDo({ state: { n: valueState<number>() }, process: () => [1] });
  anything.apply(countPerElement());
  anything.apply(groupByKey());
  nullable.groupByKey();
  unknowns.parDo({ state: { n: valueState<number>() }, process: () => [1] });
  p.create([]).apply(countPerElement());
  p.create<KV<string, number>>([]).groupByKey();
}

/** A function over any key, as a library has them. */
export function generic<K, V>(pairs: PCollection<KV<K, V>>, counts: PCollection<KV<K, number>>): void {
  expectTypeOf(pairs.groupByKey()).toExtend<PCollection<KV<K, readonly V[]>>>();
  pairs.groupByKey("Group");
  expectTypeOf(counts.combinePerKey(sumFn())).toExtend<PCollection<KV<K, number>>>();
  pairs.keys().apply(countPerElement());
  pairs.apply("All", groupByKey());
  counts.apply(sumPerKey());
  pairs.parDo({ state: { n: valueState<number>() }, process: ([key]) => [[key, 1]] });
  coGroupByKey({ pairs, counts });
}
export function genericOutput<K, A, O>(pairs: PCollection<KV<K, number>>, fn: CombineFn<number, A, O>): void {
  expectTypeOf(pairs.combinePerKey(fn)).toExtend<PCollection<KV<K, O>>>();
  combiningState(fn);
}

export function synchronous(scores: PCollection<KV<string, number>>): void {
  // @ts-expect-error a CombineFn is synchronous
  combiningState({ ...sumFn(), extractOutput: async (sum: number) => sum });
  // @ts-expect-error a CombineFn is synchronous
  combiningState({ ...sumFn(), addInput: async (sum: number, n: number) => sum + n });
  const asyncAccumulator = {} as CombineFn<number, Promise<number>, number>;
  // @ts-expect-error a CombineFn is synchronous
  combiningState(asyncAccumulator);
  // @ts-expect-error a CombineFn is synchronous
  scores.combinePerKey(asyncAccumulator);
  const sometimes = {} as CombineFn<number, number, number | Promise<number>>;
  // @ts-expect-error a CombineFn is synchronous
  scores.combinePerKey(sometimes);
  // oxlint-disable-next-line typescript/no-explicit-any -- such a program has to compile
  combiningState({} as CombineFn<number, any, any>);
  const decodesLater = { ...doubleCoder, decode: async () => 5 };
  const encodesLater = {
    ...doubleCoder,
    encode: async (): Promise<void> => {},
  };
  // @ts-expect-error a coder is synchronous
  p.create([1], { coder: decodesLater });
  // @ts-expect-error a coder is synchronous
  p.create([1], { coder: encodesLater });
  // @ts-expect-error a coder is synchronous
  scores.map(([, n]) => n, { coder: encodesLater });
  // @ts-expect-error a coder is synchronous
  valueState<number>({ coder: decodesLater });
  // @ts-expect-error a coder is synchronous
  valueState<number>({ coder: encodesLater });
  // @ts-expect-error a coder is synchronous
  scores.groupByKey({ keyCoder: encodesLater });
  // A coder may be written as an arrow over what the writer gives, or as a method.
  const arrow: Coder<number> = {
    name: "arrow",
    deterministic: true,
    encode: (n, out) => out.varint(n),
    decode: (input) => input.varint(),
  };
  class Written implements Coder<number> {
    readonly name = "written";
    readonly deterministic = true;
    encode(n: number, out: Parameters<typeof arrow.encode>[1]): void {
      arrow.encode(n, out);
    }
    decode(input: Parameters<typeof arrow.decode>[0]): number {
      return arrow.decode(input);
    }
  }
  p.create([1], { coder: new Written() });
  valueState({ coder: arrow });
}

export function deterministic(loose: Coder<string>): void {
  // @ts-expect-error equal keys could have different bytes
  mapState<string, number>({ keyCoder: loose });
  // @ts-expect-error equal values could have different bytes
  setState<string>({ coder: loose });
  mapState<number, string>({ keyCoder: varintCoder, coder: loose });
  setState<number>({ coder: varintCoder });
}
