/** What the authoring API infers, and what it refuses to compile. Checked by the compiler; nothing here runs. */
import {
  bagState,
  coGroupByKey,
  combineGlobally,
  combineGloballyAsSingleton,
  combinePerKey,
  composeCombineFns,
  countFn,
  countGlobally,
  countPerElement,
  countPerKey,
  doubleCoder,
  eventTimer,
  flatten,
  groupByKey,
  keys,
  kvSwap,
  meanFn,
  meanPerKey,
  output,
  partition,
  pipeline,
  processingTimerFamily,
  reshuffle,
  stringCoder,
  sumFn,
  sumGlobally,
  sumPerKey,
  topPerKey,
  topPerWindow,
  transform,
  valueState,
  values,
  withKeys,
  type Coder,
  type CombineFn,
  type DeadLetter,
  type DeterministicCoder,
  type DoFn,
  type KV,
  type Late,
  type PCollection,
  type PCollectionView,
  type Pipeline,
  type Program,
} from "tidemark";
import { expectTypeOf } from "vitest";
import { z } from "zod";

declare const p: Pipeline;
declare const words: PCollection<string>;
declare const numbers: PCollection<number>;
declare const scores: PCollection<KV<string, number>>;

export function elements(): void {
  expectTypeOf(words.map((word) => word.length)).toExtend<PCollection<number>>();
  expectTypeOf(words.map("Length", (word) => word.length)).toExtend<PCollection<number>>();
  // A pair is a pair, not an array.
  const pairs = words.map((word) => [word, 1]);
  expectTypeOf(pairs).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(pairs.groupByKey()).toExtend<PCollection<KV<string, readonly number[]>>>();
  expectTypeOf(pairs.keys()).toEqualTypeOf<PCollection<string>>();
  // Promises are awaited, also those of pairs.
  expectTypeOf(words.map(async (word) => word.length)).toExtend<PCollection<number>>();
  expectTypeOf(words.map(async (word) => [word, 1])).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(words.map((word) => Promise.resolve(word.length))).toExtend<PCollection<number>>();
  expectTypeOf(words.flatMap((word) => word.split(""))).toExtend<PCollection<string>>();
  expectTypeOf(words.flatMap((word) => word.match(/a/g))).toExtend<PCollection<string>>();
  expectTypeOf(
    words.flatMap(function* (word) {
      yield word.length;
    }),
  ).toExtend<PCollection<number>>();
  expectTypeOf(words.flatMap(async (word) => [word.length])).toExtend<PCollection<number>>();
  expectTypeOf(words.filter((word) => word !== "")).toExtend<PCollection<string>>();
  const maybe = p.create(["a", undefined]);
  expectTypeOf(maybe.filter((word) => word !== undefined)).toExtend<PCollection<string>>();
  // @ts-expect-error a number is no iterable of outputs
  words.flatMap((word) => word.length);
  // @ts-expect-error a string is an iterable of its characters, which nobody means
  words.flatMap((word) => word);
  // @ts-expect-error nor of a promise
  words.flatMap(async (word) => word.trim());
  // @ts-expect-error nor of a DoFn
  words.parDo({ process: (word) => word });
  // @ts-expect-error elements are strings
  words.map((word: number) => word);
  // The context has the element's place.
  words.map((word, { timestamp, window, pane }) => `${word} ${timestamp} ${window.id} ${pane.timing}`);
  expectTypeOf(p.create<string>([])).toEqualTypeOf<PCollection<string>>();
  expectTypeOf(p.create([["a", 1]])).toEqualTypeOf<PCollection<[string, number]>>();
  expectTypeOf(p.create([["a", 1]]).groupByKey()).toExtend<PCollection<KV<string, readonly number[]>>>();
  expectTypeOf(p.createTimestamped([{ timestamp: 1, value: "a" }])).toEqualTypeOf<PCollection<string>>();
  p.create(["a"], { timestamps: (word) => word.length });
  expectTypeOf(words.map((word) => word).deadLetter()).toEqualTypeOf<PCollection<DeadLetter<string>>>();
  // @ts-expect-error a grouping gives up on no element
  scores.groupByKey().deadLetter();
  expectTypeOf(p.flatten(words, numbers)).toEqualTypeOf<PCollection<string | number>>();
  expectTypeOf(flatten([words, words])).toEqualTypeOf<PCollection<string>>();
  const [small, large] = numbers.partition(2, (n) => (n < 100 ? 0 : 1));
  expectTypeOf(small).toEqualTypeOf<PCollection<number>>();
  expectTypeOf(large).toEqualTypeOf<PCollection<number>>();
  // @ts-expect-error there are two parts
  numbers.partition(2, (n) => n)[2];
  // @ts-expect-error the partition function is synchronous
  numbers.partition(2, async (n) => n);
  // @ts-expect-error a coder of numbers cannot write strings
  words.map((word) => word, { coder: doubleCoder });
}

export function keyed(): void {
  expectTypeOf(scores.mapValues((n) => String(n))).toExtend<PCollection<KV<string, string>>>();
  expectTypeOf(scores.mapValues("Fetch", async (n) => String(n))).toExtend<PCollection<KV<string, string>>>();
  expectTypeOf(scores.combinePerKey(sumFn())).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(scores.combinePerKey("Sum", sumFn())).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(scores.combinePerKey((all) => Math.max(...all))).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(scores.groupByKey().late).toEqualTypeOf<PCollection<Late<KV<string, number>>>>();
  expectTypeOf(scores.combinePerKey(sumFn()).late).toEqualTypeOf<PCollection<Late<KV<string, number>>>>();
  const inline = scores.combinePerKey({
    createAccumulator: () => ({ n: 0 }),
    addInput: (accumulator, input) => ({ n: accumulator.n + input }),
    mergeAccumulators: (several) => ({ n: several.reduce((sum, { n }) => sum + n, 0) }),
    extractOutput: ({ n }) => String(n),
  });
  expectTypeOf(inline).toExtend<PCollection<KV<string, string>>>();
  // Chains stay keyed.
  expectTypeOf(
    scores
      .filter(([, n]) => n > 1)
      .withTimestamps(() => 0)
      .reshuffle()
      .groupByKey(),
  ).toExtend<PCollection<KV<string, readonly number[]>>>();
  // @ts-expect-error words are no pairs
  words.groupByKey();
  // @ts-expect-error numbers are no pairs
  numbers.combinePerKey(sumFn());
  // @ts-expect-error words are no pairs
  words.keys();
  // @ts-expect-error words are no pairs
  words.asMap();
  // @ts-expect-error words are no pairs
  words.apply(groupByKey());
  // @ts-expect-error words are no pairs
  words.apply(sumPerKey());
  // @ts-expect-error strings cannot be summed
  words.map((word) => [word, "x"]).combinePerKey(sumFn());
  const asyncFn: CombineFn<number, number, Promise<number>> = {
    ...sumFn(),
    extractOutput: (sum) => Promise.resolve(sum),
  };
  // @ts-expect-error a CombineFn is synchronous
  scores.combinePerKey(asyncFn);
  // @ts-expect-error a CombineFn is synchronous
  scores.combinePerKey({ ...sumFn(), extractOutput: async (sum: number) => sum });
  // @ts-expect-error a CombineFn is synchronous
  scores.combinePerKey({ ...sumFn(), addInput: async (sum: number, input: number) => sum + input });
  // @ts-expect-error a combining function is synchronous
  scores.combinePerKey(async (all: Iterable<number>) => Math.max(...all));
  // @ts-expect-error the key function is synchronous
  words.apply(withKeys(async (word: string) => word));
}

export function keyCoders(): void {
  scores.groupByKey({ keyCoder: stringCoder });
  scores.groupByKey("Group", { keyCoder: stringCoder });
  scores.combinePerKey(sumFn(), { keyCoder: stringCoder });
  const anyOrder = {} as Coder<string>;
  // @ts-expect-error equal keys could have different bytes
  scores.groupByKey({ keyCoder: anyOrder });
  // @ts-expect-error equal keys could have different bytes
  scores.combinePerKey(sumFn(), { keyCoder: anyOrder });
  // @ts-expect-error keys are strings
  scores.groupByKey({ keyCoder: {} as DeterministicCoder<number> });
}

export function transforms(): void {
  expectTypeOf(words.apply(countPerElement())).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(words.apply("Count", countPerElement())).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(words.apply(countPerElement()).apply(topPerWindow(3))).toExtend<
    PCollection<readonly KV<string, number>[]>
  >();
  expectTypeOf(numbers.apply(topPerWindow(3, (a: number, b: number) => a - b))).toExtend<
    PCollection<readonly number[]>
  >();
  expectTypeOf(numbers.apply(topPerWindow(3, (a, b) => a - b))).toExtend<PCollection<readonly number[]>>();
  expectTypeOf(scores.apply(topPerKey(2))).toExtend<PCollection<KV<string, readonly number[]>>>();
  expectTypeOf(scores.apply(countPerKey())).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(words.apply(countGlobally())).toExtend<PCollection<number>>();
  expectTypeOf(scores.apply(meanPerKey())).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(scores.apply(groupByKey())).toExtend<PCollection<KV<string, readonly number[]>>>();
  expectTypeOf(scores.apply(combinePerKey(sumFn()))).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(scores.apply(combinePerKey((all: Iterable<number>) => Math.max(...all)))).toExtend<
    PCollection<KV<string, number>>
  >();
  expectTypeOf(numbers.apply(combineGlobally(meanFn()))).toExtend<PCollection<number>>();
  expectTypeOf(words.apply(combineGlobally(countFn(), { withDefault: false }))).toExtend<PCollection<number>>();
  const both = composeCombineFns({ total: sumFn(), mean: meanFn(), count: countFn() });
  expectTypeOf(numbers.apply(combineGlobally(both))).toExtend<
    PCollection<{ readonly total: number; readonly mean: number; readonly count: number }>
  >();
  expectTypeOf(words.apply(withKeys((word) => word.length))).toEqualTypeOf<PCollection<KV<number, string>>>();
  expectTypeOf(scores.apply(kvSwap())).toEqualTypeOf<PCollection<KV<number, string>>>();
  expectTypeOf(scores.apply(keys())).toEqualTypeOf<PCollection<string>>();
  expectTypeOf(scores.apply(values())).toEqualTypeOf<PCollection<number>>();
  expectTypeOf(words.apply(reshuffle())).toEqualTypeOf<PCollection<string>>();
  const [even] = numbers.apply(partition(2, (n) => n % 2));
  expectTypeOf(even).toEqualTypeOf<PCollection<number>>();
  const shout = transform("Shout", (lines: PCollection<string>) => lines.map((line) => line.toUpperCase()));
  expectTypeOf(words.apply(shout)).toExtend<PCollection<string>>();
  // @ts-expect-error the composite takes strings
  numbers.apply(shout);
  const flags = {} as PCollection<KV<string, boolean>>;
  const joined = coGroupByKey({ scores, flags });
  expectTypeOf(joined).toExtend<
    PCollection<KV<string, { readonly scores: readonly number[]; readonly flags: readonly boolean[] }>>
  >();
  joined.map(([key, { scores: ns, flags: fs }]) => `${key} ${ns.length} ${fs.length}`);
  // @ts-expect-error the tags are scores and flags
  joined.map(([, sides]) => sides.other);
  // @ts-expect-error words are no pairs
  coGroupByKey({ scores, words });
}

export function sideInputs(): void {
  const total = numbers.apply(combineGloballyAsSingleton(sumFn()));
  expectTypeOf(total).toEqualTypeOf<PCollectionView<number>>();
  const byName = scores.asMap();
  expectTypeOf(byName).toEqualTypeOf<PCollectionView<ReadonlyMap<string, number>>>();
  expectTypeOf(scores.asMultimap()).toEqualTypeOf<PCollectionView<ReadonlyMap<string, readonly number[]>>>();
  expectTypeOf(numbers.asSingleton({ default: undefined })).toEqualTypeOf<PCollectionView<number | undefined>>();
  const scaled = words.map((word, { sideInputs }) => (sideInputs.byName.get(word) ?? 0) / sideInputs.total, {
    sideInputs: { total, byName },
  });
  expectTypeOf(scaled).toExtend<PCollection<number>>();
  words.filter("Known", (word, { sideInputs }) => sideInputs.byName.has(word), { sideInputs: { byName } });
  // @ts-expect-error the step has no side input `other`
  words.map((word, { sideInputs }) => sideInputs.other, { sideInputs: { total } });
  // @ts-expect-error without views there are no side inputs
  words.map((word, { sideInputs }) => sideInputs.total);
  // @ts-expect-error keys of the map are strings
  numbers.map((n, { sideInputs }) => sideInputs.byName.get(n), { sideInputs: { byName } });
  // @ts-expect-error a collection is no view
  words.map((word) => word, { sideInputs: { numbers } });
}

export function doFns(): void {
  const counted = scores.parDo("Count", {
    state: { count: valueState<number>(), seen: bagState<string>() },
    timers: { flush: eventTimer(), wake: processingTimerFamily() },
    outputs: { main: output<KV<string, number>>(), odd: output<string>() },
    sideInputs: { total: {} as PCollectionView<number> },
    process([, n], { key, state, timers, output: emit, outputTo, sideInputs: { total }, window }) {
      expectTypeOf(key).toEqualTypeOf<string>();
      expectTypeOf(total).toEqualTypeOf<number>();
      expectTypeOf(state.count.read()).toEqualTypeOf<number | undefined>();
      state.count.write(n);
      state.seen.add(key);
      timers.flush.set(window.maxTimestamp);
      timers.wake.setAfter(key, 1000);
      emit([key, n]);
      outputTo("odd", key);
      // @ts-expect-error the cell holds numbers
      state.count.write("1");
      // @ts-expect-error there is no such cell
      state.other;
      // @ts-expect-error there is no such timer
      timers.other;
      // @ts-expect-error the main output has pairs
      emit(n);
      // @ts-expect-error there is no such output
      outputTo("even", key);
      // @ts-expect-error the output has strings
      outputTo("odd", n);
    },
    onTimer: {
      flush({ key, state, output: emit }) {
        emit([key, state.count.read() ?? 0]);
      },
      wake() {},
    },
  });
  expectTypeOf(counted).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(counted.outputs.odd).toEqualTypeOf<PCollection<string>>();
  // Of ready-made transforms late elements are those that the program gave them.
  expectTypeOf(words.apply(countPerElement()).late).toEqualTypeOf<PCollection<Late<string>>>();
  expectTypeOf(scores.apply(countPerElement()).late).toEqualTypeOf<PCollection<Late<KV<string, number>>>>();
  expectTypeOf(numbers.apply(sumGlobally()).late).toEqualTypeOf<PCollection<Late<number>>>();
  expectTypeOf(counted.late).toEqualTypeOf<PCollection<Late<KV<string, number>>>>();
  expectTypeOf(counted.deadLetter()).toEqualTypeOf<PCollection<DeadLetter<KV<string, number>>>>();
  // @ts-expect-error there is no such output
  counted.outputs.even;
  // What process returns goes to the main output.
  expectTypeOf(words.parDo({ process: (word) => [word.length] })).toExtend<PCollection<number>>();
  const lengths = words.parDo({
    *process(word) {
      yield [word, word.length];
    },
  });
  expectTypeOf(lengths).toExtend<PCollection<KV<string, number>>>();
  expectTypeOf(
    words.parDo({
      async process(word) {
        return [word.length];
      },
    }),
  ).toExtend<PCollection<number>>();
  // @ts-expect-error a DoFn without state or timers drops nothing
  lengths.late;
  // @ts-expect-error state is kept for each key
  words.parDo({ state: { count: valueState<number>() }, process: () => [] });
  // @ts-expect-error timers are kept for each key
  words.parDo({ timers: { flush: eventTimer() }, process: () => [] });
  // @ts-expect-error emitting needs a declared output
  words.parDo({ process: (word, { output: emit }) => emit(word) });
  class Upper implements DoFn<string, string> {
    *process(word: string): Iterable<string> {
      yield word.toUpperCase();
    }
  }
  expectTypeOf(words.parDo(new Upper())).toExtend<PCollection<string>>();
  // @ts-expect-error the DoFn takes strings
  numbers.parDo(new Upper());
}

export function programs(): void {
  const plain = pipeline({ name: "plain", build: (p) => p.create([1]).map((n) => n + 1) });
  expectTypeOf(plain).toExtend<Program>();
  void plain.build();
  // @ts-expect-error it takes no options
  void plain.build({ every: 1 });
  const schema = z.object({ input: z.string(), every: z.string().transform(Number) });
  const typed = pipeline(import.meta, {
    name: "typed",
    options: schema,
    async build(p, options) {
      expectTypeOf(options).toEqualTypeOf<{ input: string; every: number }>();
      p.create([options.input]);
    },
  });
  expectTypeOf(typed).toEqualTypeOf<Program<{ input: string; every: string }>>();
  void typed.build({ input: "a", every: "5" });
  // @ts-expect-error raw options are what goes into the schema
  void typed.build({ input: "a", every: 5 });
  // @ts-expect-error there is no such option
  pipeline({ name: "x", options: schema, build: (_, options) => options.output });
}
