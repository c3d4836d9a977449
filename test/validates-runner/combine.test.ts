/** Beam's ValidatesRunner scenarios on grouping, combining, flatten, partition and CoGroupByKey: those that core.test.ts does not have. */
import {
  type Coder,
  coGroupByKey,
  type CombineFn,
  combineGlobally,
  combineGloballyAsSingleton,
  composeCombineFns,
  countFn,
  fixedWindows,
  IntervalWindow,
  type KV,
  kvCoder,
  maxFn,
  meanFn,
  meanPerKey,
  minFn,
  type PCollection,
  sessions,
  slidingWindows,
  stringCoder,
  sumFn,
  valueCoder,
  varintCoder,
  windowInto,
} from "tidemark";
import { assertThat, at } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";
import { failureOf } from "./failure.ts";

type Pair = KV<string, number>;
const sorted = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);
const byText = (texts: Iterable<string>): string[] => [...texts].toSorted((a, b) => (a < b ? -1 : 1));
const TABLE: readonly Pair[] = [
  ["a", 1],
  ["a", 1],
  ["a", 4],
  ["b", 1],
  ["b", 13],
];

/** The letters of all inputs in order: shows what was combined, whatever the order. */
const letters: CombineFn<string, string[], string> = {
  createAccumulator: () => [],
  addInput: (all, letter) => [...all, letter],
  mergeAccumulators: (parts) => parts.flat(),
  extractOutput: (all) => byText(all).join(""),
};

describe("GroupByKey", () => {
  eachMode(
    "fn_runner.test_group_by_key, with_empty_pcoll_elements: values are re-iterable; empty values survive",
    (p) => {
      const groups = p
        .create<KV<string, string>>([
          ["a", ""],
          ["a", ""],
          ["", "x"],
        ])
        .groupByKey()
        .map(([key, values]) => [key, [...values], [...values]] as const);
      assertThat(groups).containsInAnyOrder([
        ["a", ["", ""], ["", ""]],
        ["", ["x"], ["x"]],
      ]);
      const none = p.create<KV<string, null>>("Nulls", [["k", null]]).groupByKey("Group nulls");
      assertThat(none).isSingleton(["k", [null]]);
    },
  );

  eachMode("prism gbk2, gbk3, lperror_gbk_into_cogbk_shared_input: one input shared by GBK and CoGBK", (p) => {
    const input = p.create<Pair>([
      ["a", 1],
      ["a", 2],
      ["b", 3],
    ]);
    const counted = input.groupByKey("First").map("Count", ([key, values]): Pair => [key, values.length]);
    const third = counted
      .groupByKey("Second")
      .mapValues("Only", ([n]) => n ?? 0)
      .groupByKey("Third");
    assertThat(third).containsInAnyOrder([
      ["a", [2]],
      ["b", [1]],
    ]);
    const joined = coGroupByKey({ input, counted }).map("Sorted", ([key, { input: values, counted: counts }]) => [
      key,
      sorted(values),
      counts,
    ]);
    assertThat(joined).containsInAnyOrder([
      ["a", [1, 2], [2]],
      ["b", [3], [1]],
    ]);
  });

  test("GroupByKeyTest (construction): a key coder that is not deterministic is refused", async () => {
    const loose: Coder<string> = {
      name: "loose",
      deterministic: false,
      encode: (value, into) => stringCoder.encode(value, into),
      decode: (from) => stringCoder.decode(from),
    };
    const error = await failureOf((p) =>
      p.create<KV<string, number>>([["a", 1]], { coder: kvCoder(loose, valueCoder as Coder<number>) }).groupByKey(),
    );
    expect(error).toMatchObject({ code: "KEY_CODER_NOT_DETERMINISTIC" });
  });
});

describe("Combine", () => {
  eachMode(
    "CombineTest.testSimpleCombine, Empty, testBasicCombineEmpty: per key and globally, of some and of none",
    (p) => {
      const pairs = p.create(TABLE);
      assertThat(pairs.combinePerKey("Sums", sumFn())).containsInAnyOrder([
        ["a", 6],
        ["b", 14],
      ]);
      assertThat(p.create<Pair>("No pairs", []).combinePerKey("Of no pairs", sumFn())).isEmpty();
      const none = p.create<string>("None", []);
      assertThat(none.apply("Of none", combineGlobally(letters))).isSingleton("");
    },
  );

  eachMode("CombineTest.testSlidingWindowsCombine: {a}, {a,b}, {a,b,c}, {b,c}, {c}", (p) => {
    const results = p
      .createTimestamped([at(1, "a"), at(2, "b"), at(3, "c")])
      .apply(windowInto(slidingWindows({ size: 3, every: 1 })))
      .apply(combineGlobally(letters, { withDefault: false }));
    assertThat(results).containsInAnyOrder(["a", "ab", "abc", "bc", "c"]);
  });

  eachMode("CombineTest.testSlidingWindowsCombineWithContext's windows: what a key has in each window", (p) => {
    const results = p
      .createTimestamped<Pair>([at(0, ["a", 1]), at(1, ["a", 1]), at(6, ["a", 4]), at(7, ["b", 1]), at(8, ["b", 13])])
      .apply(windowInto(slidingWindows({ size: 4, every: 2 })))
      .combinePerKey(sumFn());
    assertThat(results).satisfies((_values, elements) => {
      expect(byText(elements.map(({ value: [key, sum], window }) => `${window.id} ${key} ${sum}`))).toEqual(
        byText(["-2:2 a 2", "0:4 a 2", "4:8 a 4", "4:8 b 1", "6:10 a 4", "6:10 b 14", "8:12 b 13"]),
      );
    });
  });

  eachMode("CombineTest.testSessionsCombine, testFixedWindowsCombine: one result for each window", (p) => {
    const input = p.createTimestamped<Pair>([
      at(0, ["a", 1]),
      at(4, ["a", 1]),
      at(7, ["a", 4]),
      at(10, ["b", 1]),
      at(16, ["b", 13]),
    ]);
    const fixed = input.apply("Fixed", windowInto(fixedWindows(2))).combinePerKey("Sum fixed", sumFn());
    assertThat(fixed).containsInAnyOrder([
      ["a", 1],
      ["a", 1],
      ["a", 4],
      ["b", 1],
      ["b", 13],
    ]);
    const session = input.apply("Sessions", windowInto(sessions(5))).combinePerKey("Sum sessions", sumFn());
    assertThat(session).inWindow(new IntervalWindow(0, 12)).isSingleton(["a", 6]);
    assertThat(session).inWindow(new IntervalWindow(10, 15)).isSingleton(["b", 1]);
    assertThat(session).inWindow(new IntervalWindow(16, 21)).isSingleton(["b", 13]);
  });

  eachMode("CombineTest.testWindowedCombineEmpty: windows without elements give nothing", (p) => {
    const means = p
      .create<number>([])
      .apply(windowInto(fixedWindows(1)))
      .apply(combineGlobally(meanFn(), { withDefault: false }));
    assertThat(means).isEmpty();
  });

  eachMode("CombineTest.testCombineGloballyAsSingletonView, testWindowedCombineGloballyAsSingletonView", (p) => {
    const numbers = p.create("Numbers", [1, 2, 3, 4]);
    const total = numbers.apply("Total", combineGloballyAsSingleton(sumFn()));
    const nothing = p.create<number>("None", []).apply("Nothing", combineGloballyAsSingleton(sumFn()));
    const seen = p.create([0]).map("Global", (_n, { sideInputs }) => [sideInputs.total, sideInputs.nothing], {
      sideInputs: { total, nothing },
    });
    assertThat(seen).isSingleton([10, 0]);
    const windowed = p
      .createTimestamped("Side", [at(1, 1), at(2, 5)])
      .apply("Side windows", windowInto(fixedWindows(10)))
      .apply("Windowed", combineGloballyAsSingleton(sumFn()));
    const perWindow = p
      .createTimestamped("Main", [at(3, "a"), at(13, "b")])
      .apply("Main windows", windowInto(fixedWindows(10)))
      .map("Look", (x, { sideInputs }) => x + sideInputs.windowed, { sideInputs: { windowed } });
    assertThat(perWindow).containsInAnyOrder(["a6", "b0"]);
  });

  eachMode("CombineTest.testAccumulatingCombine, Empty: an accumulator with its own coder", (p) => {
    interface Sum {
      sum: number;
    }
    const accumulatorCoder: Coder<Sum> = {
      name: "sum",
      deterministic: true,
      encode: ({ sum }, into) => varintCoder.encode(sum, into),
      decode: (from) => ({ sum: varintCoder.decode(from) }),
    };
    const accumulating: CombineFn<number, Sum, string> = {
      accumulatorCoder,
      createAccumulator: () => ({ sum: 0 }),
      addInput(accumulator, n) {
        accumulator.sum += n;
        return accumulator;
      },
      mergeAccumulators(accumulators) {
        return { sum: accumulators.reduce((all, { sum }) => all + sum, 0) };
      },
      extractOutput: ({ sum }) => `sum ${sum}`,
    };
    assertThat(p.create(TABLE).combinePerKey("Per key", accumulating)).containsInAnyOrder([
      ["a", "sum 6"],
      ["b", "sum 14"],
    ]);
    assertThat(p.create<number>("None", []).apply("Of none", combineGlobally(accumulating))).isSingleton("sum 0");
  });

  eachMode("CombineTest.testBinaryCombineWithLambda, InstanceMethodReference: plain functions and methods", (p) => {
    class Totals {
      readonly #from = 0;
      of(values: Iterable<number>): number {
        let total = this.#from;
        for (const n of values) total += n;
        return total;
      }
    }
    const totals = new Totals();
    const pairs = p.create(TABLE);
    assertThat(pairs.combinePerKey("Method", (values: Iterable<number>) => totals.of(values))).containsInAnyOrder([
      ["a", 6],
      ["b", 14],
    ]);
    assertThat(
      pairs.values().apply(
        "Least",
        combineGlobally((values: Iterable<number>) => Math.min(...values)),
      ),
    ).isSingleton(1);
  });

  eachMode("CombineFnsTest.testComposedCombine, NullValues: several combiners in one pass; nulls kept", (p) => {
    const both = p.create(TABLE).combinePerKey("Both", composeCombineFns({ max: maxFn(), min: minFn(), n: countFn() }));
    assertThat(both).containsInAnyOrder([
      ["a", { max: 4, min: 1, n: 3 }],
      ["b", { max: 13, min: 1, n: 2 }],
    ]);
    const first: CombineFn<string | null, (string | null)[], string | null> = {
      createAccumulator: () => [],
      addInput: (all, value) => [...all, value],
      mergeAccumulators: (parts) => parts.flat(),
      extractOutput: (all) => (all.includes(null) ? null : (all[0] ?? "none")),
    };
    const nulls = p
      .create<KV<string, string | null>>("With nulls", [
        ["a", null],
        ["a", "x"],
        ["b", "y"],
      ])
      .combinePerKey("Nulls", composeCombineFns({ first, n: countFn() }));
    assertThat(nulls).containsInAnyOrder([
      ["a", { first: null, n: 2 }],
      ["b", { first: "y", n: 1 }],
    ]);
  });

  eachMode("fn_runner.test_combine_per_key, test_windowed_combine_per_key: mean per key; per window", (p) => {
    const pairs: readonly Pair[] = [
      ["a", 1],
      ["a", 2],
      ["b", 3],
    ];
    assertThat(p.create("Pairs", pairs).apply("Means", meanPerKey())).containsInAnyOrder([
      ["a", 1.5],
      ["b", 3],
    ]);
    const windowed = p
      .createTimestamped<Pair>("Timed", [at(0, ["k", 1]), at(9, ["k", 9]), at(11, ["k", 3]), at(19, ["k", 9])])
      .apply("Windows", windowInto(fixedWindows(10)))
      .apply("Windowed means", meanPerKey());
    assertThat(windowed).inWindow(new IntervalWindow(0, 10)).isSingleton(["k", 5]);
    assertThat(windowed).inWindow(new IntervalWindow(10, 20)).isSingleton(["k", 6]);
  });
});

describe("Flatten and Partition", () => {
  eachMode(
    "FlattenTest.testFlattenPCollectionsSingletonList, ThenParDo, testFlattenPCollectionsEmptyThenParDo",
    (p) => {
      assertThat(p.flatten("Of one", p.create("One", ["a", "b"]))).containsInAnyOrder(["a", "b"]);
      const lines = p.flatten("Of two", p.create("Left", ["a"]), p.create("Right", ["b", "c"]));
      assertThat(lines.map("Twice", (x) => x + x)).containsInAnyOrder(["aa", "bb", "cc"]);
      const none = p.flatten("Of none") as PCollection<string>;
      assertThat(none.map("Twice none", (x) => x + x)).isEmpty();
    },
  );

  eachMode("FlattenTest.testFlattenMultipleCoders, WithDifferentInputAndOutputCoders, fn_runner.test_flatten", (p) => {
    const strings = p.create<string | null>("Strings", ["0", "1"], { coder: stringCoder });
    const values = p.create<string | null>("Values", ["2", null]);
    const numbers = p.create<number>("Numbers", [7], { coder: varintCoder });
    const all = p.flatten(strings, values, numbers);
    assertThat(all).containsInAnyOrder(["0", "1", "2", null, 7]);
    assertThat(all.map("After", (x) => [x])).containsInAnyOrder([["0"], ["1"], ["2"], [null], [7]]);
    const keyed = p.flatten(
      "Keyed",
      p.create<Pair>("Coded pairs", [["a", 1]], { coder: kvCoder(stringCoder, varintCoder) }),
      p.create<Pair>("Plain pairs", [["a", 2]]),
    );
    assertThat(keyed.combinePerKey(sumFn())).isSingleton(["a", 3]);
  });

  eachMode("fn_runner.test_flattened_side_input: a flatten of unlike collections as a side input", (p) => {
    const side = p.flatten("Side", p.create("Words", ["a"]), p.create("Numbers", [1, 2])).asList();
    const results = p
      .create([null])
      .map((_none, { sideInputs }) => byText(sideInputs.side.map(String)), { sideInputs: { side } });
    assertThat(results).isSingleton(["1", "2", "a"]);
  });

  eachMode("Go FlattenDup, fn_runner.test_flatten_same_pcollections: the same collection twice, then grouped", (p) => {
    const input = p.create<Pair>([
      ["a", 1],
      ["b", 2],
    ]);
    assertThat(p.flatten(input, input).combinePerKey(sumFn())).containsInAnyOrder([
      ["a", 2],
      ["b", 4],
    ]);
  });

  eachMode("PartitionTest.testEvenOddPartition, testModPartition; each part used by itself", (p) => {
    const [even, odd] = p.create([1, 2, 4, 5]).partition(2, (n) => n % 2);
    assertThat(even).containsInAnyOrder([2, 4]);
    assertThat(odd.map("Next", (n) => n + 1)).containsInAnyOrder([2, 6]);
    const thirds = p.create("More", [1, 2, 4, 5]).partition("Thirds", 3, (n) => n % 3);
    assertThat(thirds[0]).isEmpty();
    assertThat(thirds[1]).containsInAnyOrder([1, 4]);
    assertThat(thirds[2]).containsInAnyOrder([2, 5]);
  });

  test("PartitionTest.testOutOfBoundsPartitions", async () => {
    const error = await failureOf((p) => void p.create([-1]).partition("Parts", 5, (n) => n));
    expect(error).toMatchObject({ code: "PARTITION_OUT_OF_RANGE", context: { step: "Parts" } });
  });
});

describe("CoGroupByKey", () => {
  eachMode("CoGroupByKeyTest.testCoGroupByKeyGetOnly: of unlike types", (p) => {
    const names = p.create<KV<number, string>>("Names", [
      [1, "ann"],
      [2, "joon"],
    ]);
    const ages = p.create<KV<number, number>>("Ages", [[2, 20]]);
    const only = coGroupByKey({ names, ages }).map(
      "Only",
      ([
        id,
        {
          names: [name],
          ages: [age = -1],
        },
      ]) => [id, name, age],
    );
    assertThat(only).containsInAnyOrder([
      [1, "ann", -1],
      [2, "joon", 20],
    ]);
  });

  eachMode("CoGroupByKeyTest.testCoGroupByKeyWithWindowing: per window", (p) => {
    const windows = windowInto(fixedWindows(4));
    const clicks = p
      .createTimestamped<Pair>("Clicks", [at(0, ["a", 1]), at(2, ["a", 2]), at(5, ["a", 3]), at(6, ["b", 4])])
      .apply("Click windows", windows);
    const buys = p.createTimestamped<Pair>("Buys", [at(1, ["a", 10]), at(7, ["b", 20])]).apply("Buy windows", windows);
    const joined = coGroupByKey({ clicks, buys }).map("Sorted", ([key, both]) => [
      key,
      sorted(both.clicks),
      sorted(both.buys),
    ]);
    assertThat(joined)
      .inWindow(new IntervalWindow(0, 4))
      .isSingleton(["a", [1, 2], [10]]);
    assertThat(joined)
      .inWindow(new IntervalWindow(4, 8))
      .containsInAnyOrder([
        ["a", [3], []],
        ["b", [4], [20]],
      ]);
  });

  eachMode("Go CoGBK: three inputs, keys missing in some", (p) => {
    const one = p.create<KV<string, number>>("One", [
      ["a", 1],
      ["b", 2],
    ]);
    const two = p.create<KV<string, string>>("Two", [["b", "x"]]);
    const three = p.create<KV<string, boolean>>("Three", [
      ["b", true],
      ["c", false],
    ]);
    assertThat(coGroupByKey({ one, two, three })).containsInAnyOrder([
      ["a", { one: [1], two: [], three: [] }],
      ["b", { one: [2], two: ["x"], three: [true] }],
      ["c", { one: [], two: [], three: [false] }],
    ]);
  });
});
