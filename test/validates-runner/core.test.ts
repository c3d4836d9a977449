/** Beam's ValidatesRunner scenarios on ParDo, grouping, combining, flatten, views and windows, by their names there. */
import {
  coGroupByKey,
  combineGlobally,
  countPerElement,
  type DoFn,
  fixedWindows,
  GLOBAL_WINDOW,
  globalWindows,
  IntervalWindow,
  isTidemarkError,
  type KV,
  maxFn,
  meanFn,
  output,
  type Pipeline,
  sessions,
  slidingWindows,
  sumFn,
  windowInto,
} from "tidemark";
import { assertThat, at, runTest } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";

type Pair = KV<string, number>;
const sorted = (values: readonly number[]): number[] => [...values].toSorted((a, b) => a - b);

/** The code that a run fails with. */
async function codeOf(build: Parameters<typeof runTest>[0]): Promise<string | undefined> {
  const error: unknown = await runTest(build).catch((reason: unknown) => reason);
  return isTidemarkError(error) ? error.code : undefined;
}

describe("Create, Impulse, composites", () => {
  eachMode("CreateTest.testCreate, testCreateEmpty, testCreateWithNullsAndValues", (p) => {
    assertThat(p.create(["a", "b", "a"])).containsInAnyOrder(["a", "b", "a"]);
    assertThat(p.create<string>("None", [])).isEmpty();
    assertThat(p.create<string | null>("Nulls", ["a", null])).containsInAnyOrder([null, "a"]);
  });

  eachMode("ImpulseTest.testImpulse: one empty byte array, read once by each of several consumers", (p) => {
    const impulse = p.impulse();
    assertThat(impulse.map("Size", (bytes) => bytes.length)).isSingleton(0);
    assertThat(impulse).satisfies((_values, elements) => {
      expect(elements.map(({ window }) => window.id)).toEqual([GLOBAL_WINDOW.id]);
    });
  });

  eachMode("PipelineTest.testMultipleApply, testIdentityTransform, testTupleProjection", (p) => {
    const double = (input: ReturnType<typeof p.create<number>>) => input.map("Double", (n) => n * 2);
    assertThat(p.create("One", [1]).apply("A", double)).isSingleton(2);
    assertThat(p.create("Two", [2]).apply("B", double)).isSingleton(4);
    assertThat(p.create("Three", [3]).apply("Same", (input) => input)).isSingleton(3);
    const [first] = p.create("Four", [4]).apply("Tuple", (input) => [input, input] as const);
    assertThat(first).isSingleton(4);
  });
});

describe("ParDo", () => {
  eachMode("ParDoTest.testParDoWithTaggedOutput, WithOnlyTaggedOutput, EmptyWithTaggedOutput", (p) => {
    const results = p.create([3, -42, 666]).parDo({
      outputs: { main: output<number>(), even: output<number>(), unused: output<string>() },
      process(n, { outputTo }) {
        if (n % 2 === 0) outputTo("even", n);
      },
    });
    assertThat(results).isEmpty();
    assertThat(results.outputs.even).containsInAnyOrder([-42, 666]);
    assertThat(results.outputs.unused).isEmpty();
  });

  eachMode("ParDoTest.testMultiOutputChaining: outputs feed two DoFns that share a side input", (p) => {
    const side = p.create("Side", [10]).asSingleton();
    const split = p.create([1, 2]).parDo({
      outputs: { main: output<number>(), other: output<number>() },
      process(n, { output: put, outputTo }) {
        put(n);
        outputTo("other", n * 100);
      },
    });
    const add = { sideInputs: { side } };
    assertThat(split.map("A", (n, { sideInputs }) => n + sideInputs.side, add)).containsInAnyOrder([11, 12]);
    assertThat(split.outputs.other.map("B", (n, { sideInputs }) => n + sideInputs.side, add)).containsInAnyOrder([
      110, 210,
    ]);
  });

  eachMode("ParDoTest.testParDoShiftTimestamp: shifting back within the allowed skew", (p) => {
    const shifted = p.createTimestamped([at(3, 3), at(42, 42), at(6, 6)]).parDo({
      allowedTimestampSkew: 1000,
      outputs: { main: output<number>() },
      process: (n, { output: put }) => put(n, n - 1000),
    });
    assertThat(shifted).satisfies((_values, elements) => {
      expect(sorted(elements.map(({ timestamp }) => timestamp))).toEqual([-997, -994, -958]);
    });
  });

  test("ParDoTest.testProcessElementSkew: beyond the skew an error that names it", async () => {
    const error: unknown = await runTest((p) => {
      p.createTimestamped([at(100, 1)]).parDo("Back", {
        allowedTimestampSkew: 2,
        outputs: { main: output<number>() },
        process: (n, { output: put }) => put(n, 97),
      });
    }).catch((reason: unknown) => reason);
    expect(isTidemarkError(error, "TIMESTAMP_SKEW")).toBe(true);
    expect(String(error)).toContain("allowedTimestampSkew is 2 ms");
  });

  test.each(["setup", "startBundle", "process", "finishBundle"] as const)(
    "ParDoLifecycle.testTeardownCalledAfterExceptionIn %s",
    async (phase) => {
      let tornDown = 0;
      const fail = (at: string): void => {
        if (at === phase) throw new Error(`fails in ${phase}`);
      };
      const doFn: DoFn<number> = {
        setup: () => fail("setup"),
        startBundle: () => fail("startBundle"),
        process: () => fail("process"),
        finishBundle: () => fail("finishBundle"),
        teardown: () => void tornDown++,
      };
      await expect(runTest((p) => void p.create([1]).parDo("Fails", doFn))).rejects.toThrow(`fails in ${phase}`);
      expect(tornDown).toBe(1);
    },
  );

  test("ParDoTest.testBundleFinalization: callbacks run, for every bundle", async () => {
    let finalized = 0;
    await runTest((p) => {
      p.create([1, 2, 3]).parDo({
        process(_n: number, { onBundleFinalized }) {
          onBundleFinalized(() => void finalized++);
        },
      });
    });
    expect(finalized).toBe(3);
  });
});

describe("GroupByKey", () => {
  eachMode("GroupByKeyTest.testGroupByKey, Empty", (p) => {
    const pairs: Pair[] = [
      ["k1", 3],
      ["k5", 2 ** 31 - 1],
      ["k5", -(2 ** 31)],
      ["k2", 66],
      ["k1", 4],
      ["k2", -33],
      ["k3", 0],
    ];
    const grouped = p
      .create(pairs)
      .groupByKey()
      .map(([key, values]): KV<string, number[]> => [key, sorted(values)]);
    assertThat(grouped).containsInAnyOrder([
      ["k1", [3, 4]],
      ["k5", [-(2 ** 31), 2 ** 31 - 1]],
      ["k2", [-33, 66]],
      ["k3", [0]],
    ]);
    assertThat(p.create<Pair>("None", []).groupByKey("Group none")).isEmpty();
  });

  eachMode("GroupByKeyTest.testGroupByKeyAndWindows: 5 ms fixed windows; timestamp = window end", (p) => {
    const grouped = p
      .createTimestamped<Pair>([at(1, ["k1", 3]), at(8, ["k1", 4]), at(2, ["k5", 1])])
      .apply(windowInto(fixedWindows(5)))
      .groupByKey();
    assertThat(grouped)
      .inWindow(new IntervalWindow(0, 5))
      .containsInAnyOrder([
        ["k1", [3]],
        ["k5", [1]],
      ]);
    assertThat(grouped)
      .inWindow(new IntervalWindow(5, 10))
      .isSingleton(["k1", [4]]);
    assertThat(grouped).satisfies((_values, elements) => {
      for (const { timestamp, window } of elements) expect(timestamp).toBe(window.maxTimestamp);
    });
  });

  eachMode("GroupByKeyTest.testGroupByKeyMergingWindows: sessions of 4 ms", (p) => {
    const grouped = p
      .createTimestamped<Pair>([at(1, ["foo", 1]), at(4, ["foo", 4]), at(9, ["foo", 9]), at(3, ["bar", 3])])
      .apply(windowInto(sessions(4)))
      .groupByKey()
      .map(([key, values]): KV<string, number[]> => [key, sorted(values)]);
    assertThat(grouped)
      .inWindow(new IntervalWindow(1, 8))
      .isSingleton(["foo", [1, 4]]);
    assertThat(grouped)
      .inWindow(new IntervalWindow(9, 13))
      .isSingleton(["foo", [9]]);
    assertThat(grouped)
      .inWindow(new IntervalWindow(3, 7))
      .isSingleton(["bar", [3]]);
  });

  eachMode("GroupByKeyTest.testTimestampCombinerEarliest / Latest: output timestamp 0 / 10", (p) => {
    const input = p.createTimestamped<Pair>([at(0, ["k", 3]), at(10, ["k", 4])]);
    for (const [timestampCombiner, expected] of [
      ["earliest", 0],
      ["latest", 10],
    ] as const) {
      const grouped = input
        .apply(timestampCombiner, windowInto(fixedWindows(600_000), { timestampCombiner }))
        .groupByKey(`Group ${timestampCombiner}`);
      assertThat(grouped).satisfies((_values, elements) =>
        expect(elements.map(({ timestamp }) => timestamp)).toEqual([expected]),
      );
    }
  });

  eachMode("prism gbk_into_gbk: a grouping feeding a grouping", (p) => {
    const twice = p
      .create<Pair>([
        ["a", 1],
        ["a", 2],
        ["b", 3],
      ])
      .groupByKey("First")
      .map(([, values]): Pair => ["all", values.length])
      .groupByKey("Second")
      .map(([key, values]): KV<string, number[]> => [key, sorted(values)]);
    assertThat(twice).isSingleton(["all", [1, 2]]);
  });
});

describe("Combine, Flatten, CoGroupByKey", () => {
  eachMode(
    "CombineTest.testBasicCombine, Empty: per key and globally; the empty global combine gives the default",
    (p) => {
      const pairs = p.create<Pair>([
        ["a", 1],
        ["a", 1],
        ["a", 4],
        ["b", 1],
        ["b", 13],
      ]);
      assertThat(pairs.combinePerKey(meanFn())).containsInAnyOrder([
        ["a", 2],
        ["b", 7],
      ]);
      assertThat(pairs.values().apply(combineGlobally(sumFn()))).isSingleton(20);
      assertThat(p.create<number>("None", []).apply("Of none", combineGlobally(sumFn()))).isSingleton(0);
    },
  );

  eachMode("CombineTest.testFixedWindowsCombine, testSlidingWindowsCombine, testSessionsCombine", (p) => {
    const input = p.createTimestamped<Pair>([at(2, ["k", 1]), at(5, ["k", 2]), at(8, ["k", 4])]);
    const sums = (name: string, fn: Parameters<typeof windowInto>[0]) =>
      input
        .apply(name, windowInto(fn))
        .combinePerKey(`Sum ${name}`, sumFn())
        .map(`Value ${name}`, ([, n]) => n);
    assertThat(sums("fixed", fixedWindows(5))).containsInAnyOrder([1, 6]);
    assertThat(sums("sliding", slidingWindows({ size: 9, every: 3 }))).containsInAnyOrder([1, 3, 7, 6, 4]);
    assertThat(sums("sessions", sessions(4))).isSingleton(7);
  });

  eachMode("CombineTest…Lambda: a plain function over values as a combiner", (p) => {
    const longest = p
      .create<Pair>([
        ["a", 3],
        ["a", 5],
      ])
      .combinePerKey("Max", (values: Iterable<number>) => Math.max(...values));
    assertThat(longest).isSingleton(["a", 5]);
  });

  eachMode("FlattenTest.testFlattenPCollections, InputMultipleCopies, Empty, EmptyFlattenAsSideInput", (p) => {
    const one = p.create("One", [1, 2]);
    assertThat(p.flatten("Twice", one, one, p.create("Three", [3]))).containsInAnyOrder([1, 2, 1, 2, 3]);
    const none = p.flatten("None");
    assertThat(none).isEmpty();
    const side = none.asList("Nothing");
    assertThat(
      one.map("Look", (n, { sideInputs }) => n + sideInputs.side.length, { sideInputs: { side } }),
    ).containsInAnyOrder([1, 2]);
  });

  eachMode("CoGroupByKeyTest: results by tag, a missing tag is empty, per window", (p) => {
    const names = p.create<KV<number, string>>("Names", [
      [1, "ann"],
      [2, "joon"],
    ]);
    const ages = p.create<KV<number, number>>("Ages", [
      [1, 7],
      [3, 9],
    ]);
    assertThat(coGroupByKey({ names, ages })).containsInAnyOrder([
      [1, { names: ["ann"], ages: [7] }],
      [2, { names: ["joon"], ages: [] }],
      [3, { names: [], ages: [9] }],
    ]);
  });
});

describe("Side inputs", () => {
  eachMode("ViewTest.testSingletonSideInput, Iterable, List, Map, Multimap", (p) => {
    const pairs = p.create<Pair>("Pairs", [
      ["a", 1],
      ["a", 2],
      ["b", 3],
    ]);
    const sideInputs = {
      one: p.create("One", [47]).asSingleton(),
      list: pairs.asList(),
      multimap: pairs.asMultimap(),
      map: pairs.combinePerKey("Max", maxFn()).asMap("Map"),
    };
    const seen = p
      .create("Keys", ["a", "b", "c"])
      .map(
        (key, { sideInputs: { one, list, multimap, map } }) => [
          key,
          one,
          list.length,
          sorted(multimap.get(key) ?? []),
          map.get(key) ?? null,
        ],
        { sideInputs },
      );
    assertThat(seen).containsInAnyOrder([
      ["a", 47, 3, [1, 2], 2],
      ["b", 47, 3, [3], 3],
      ["c", 47, 3, [], null],
    ]);
  });

  test("ViewTest.testEmptySingletonSideInput, testNonSingletonSideInput: errors; a default, also null, is delivered", async () => {
    const withSide =
      (values: readonly number[]) =>
      (p: Pipeline): void => {
        const side = p.create("Side", values).asSingleton();
        p.create(["x"]).map((x, { sideInputs }) => [x, sideInputs.side], { sideInputs: { side } });
      };
    expect(await codeOf(withSide([]))).toBe("SINGLETON_EMPTY");
    expect(await codeOf(withSide([1, 2]))).toBe("SINGLETON_NOT_ONE");
    await runTest((p) => {
      const side = p.create<number>("Side", []).asSingleton({ default: null });
      assertThat(p.create(["x"]).map((_x, { sideInputs }) => sideInputs.side, { sideInputs: { side } })).isSingleton(
        null,
      );
    });
  });

  eachMode("ViewTest.testWindowedSideInputFixedToFixed, FixedToGlobal", (p) => {
    const main = p.createTimestamped("Main", [at(1, "a"), at(11, "b")]).apply(windowInto(fixedWindows(10)));
    const numbers = p.createTimestamped("Numbers", [at(1, 1), at(4, 2), at(12, 3)]);
    const fixed = numbers
      .apply("Fixed", windowInto(fixedWindows(10)))
      .apply("Sum", combineGlobally(sumFn(), { withDefault: false }))
      .asSingleton("Per window");
    const global = numbers
      .apply("Global", windowInto(globalWindows()))
      .apply("Total", combineGlobally(sumFn()))
      .asSingleton("All");
    const seen = main.map((x, { sideInputs }) => `${x} ${sideInputs.fixed} of ${sideInputs.global}`, {
      sideInputs: { fixed, global },
    });
    assertThat(seen).containsInAnyOrder(["a 3 of 6", "b 3 of 6"]);
  });

  eachMode("fn_runner.test_pardo_unfusable_side_inputs: a cross join of a collection with itself", (p) => {
    const letters = p.create(["a", "b"]);
    const all = letters.asList();
    const pairs = letters.flatMap((x, { sideInputs }) => sideInputs.all.map((y) => x + y), { sideInputs: { all } });
    assertThat(pairs).containsInAnyOrder(["aa", "ab", "ba", "bb"]);
  });
});

describe("Windows", () => {
  eachMode("WindowingTest.testNonPartitioningWindowing: sliding 10/5, incl. [-5, 5)", (p) => {
    const counts = p
      .createTimestamped([at(1, "a"), at(7, "a"), at(8, "b")])
      .apply(windowInto(slidingWindows({ size: 10, every: 5 })))
      .apply(countPerElement());
    assertThat(counts).inWindow(new IntervalWindow(-5, 5)).isSingleton(["a", 1]);
    assertThat(counts)
      .inWindow(new IntervalWindow(0, 10))
      .containsInAnyOrder([
        ["a", 2],
        ["b", 1],
      ]);
    assertThat(counts)
      .inWindow(new IntervalWindow(5, 15))
      .containsInAnyOrder([
        ["a", 1],
        ["b", 1],
      ]);
  });

  eachMode("ReshuffleTest.testReshufflePreserves{Timestamps,Metadata}", (p) => {
    const kept = p
      .createTimestamped([at(1, "a"), at(12, "b")])
      .apply(windowInto(fixedWindows(10)))
      .reshuffle();
    assertThat(kept).satisfies((_values, elements) => {
      const shown = elements.map(({ value, timestamp, window }) => `${value} at ${timestamp} in ${window.id}`);
      expect(shown.toSorted((a, b) => a.localeCompare(b))).toEqual(["a at 1 in 0:10", "b at 12 in 10:20"]);
    });
  });
});
