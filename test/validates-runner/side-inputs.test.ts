/** Beam's ValidatesRunner scenarios on side inputs, by their names there: those that core.test.ts does not have. */
import {
  combineGlobally,
  combineGloballyAsSingleton,
  type DoFn,
  fixedWindows,
  globalWindows,
  IntervalWindow,
  type KV,
  output,
  type PCollection,
  slidingWindows,
  sumFn,
  windowInto,
} from "tidemark";
import { assertThat, at } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";
import { failureOf } from "./failure.ts";

type Pair = KV<string, number>;
const sorted = (values: Iterable<number>): number[] => [...values].toSorted((a, b) => a - b);
const tens = windowInto(fixedWindows(10));

describe("Singletons, lists, iterables", () => {
  eachMode("ViewTest.testWindowedSingletonSideInput: matched by window", (p) => {
    const side = p
      .createTimestamped("Side", [at(1, 47), at(11, 48)])
      .apply("Side windows", tens)
      .asSingleton();
    const results = p
      .createTimestamped("Main", [at(1, 1), at(4, 2), at(14, 3)])
      .apply("Main windows", tens)
      .map("Look", (n, { sideInputs }) => [n, sideInputs.side] as const, { sideInputs: { side } });
    assertThat(results).containsInAnyOrder([
      [1, 47],
      [2, 47],
      [3, 48],
    ]);
  });

  eachMode("ViewTest.testListSideInput, RandomAccess, Windowed, Empty; testIterableSideInput, Windowed, Empty", (p) => {
    const values = [at(1, 11), at(2, 13), at(11, 17), at(12, 23)];
    const windowed = p.createTimestamped("Side", values).apply("Side windows", tens);
    const none = p.create<number>("None", []).apply("No windows", tens);
    const sideInputs = {
      list: windowed.asList(),
      iterable: windowed.asIterable(),
      emptyList: none.asList("Empty list"),
      emptyIterable: none.asIterable("Empty iterable"),
    };
    const results = p
      .createTimestamped("Main", [at(5, "a"), at(15, "b")])
      .apply("Main windows", tens)
      .map(
        "Look",
        (x, { sideInputs: { list, iterable, emptyList, emptyIterable } }) => {
          const byPosition = Array.from({ length: list.length }, (_, i) => list[i] as number);
          return [
            x,
            sorted(byPosition),
            sorted(iterable),
            sorted(iterable),
            emptyList.length,
            [...emptyIterable].length,
          ];
        },
        { sideInputs },
      );
    assertThat(results).containsInAnyOrder([
      ["a", [11, 13], [11, 13], [11, 13], 0, 0],
      ["b", [17, 23], [17, 23], [17, 23], 0, 0],
    ]);
  });

  eachMode("ViewTest.testListSideInputIsImmutable, IterableIsImmutable; MapViewTest…IsImmutable", (p) => {
    const pairs = p.create<Pair>("Side", [["a", 1]]);
    const sideInputs = {
      list: pairs.asList(),
      map: pairs.asMap(),
      multimap: pairs.asMultimap(),
      iterable: pairs.asIterable(),
    };
    const changes: readonly ((views: { readonly [name: string]: unknown }) => void)[] = [
      ({ list }) => (list as Pair[]).push(["b", 2]),
      ({ list }) => ((list as Pair[])[0] = ["b", 2]),
      ({ map }) => (map as Map<string, number>).set("b", 2),
      ({ map }) => (map as Map<string, number>).clear(),
      ({ multimap }) => (multimap as Map<string, number[]>).delete("a"),
      ({ multimap }) => (multimap as Map<string, number[]>).get("a")?.push(2),
      ({ iterable }) => (iterable as Pair[]).push(["b", 2]),
      ({ map }) => [...(map as Iterable<[string, number]>)].forEach((entry) => (entry[1] = 2)),
      ({ multimap }) => [...(multimap as Iterable<[string, number[]]>)].forEach((entry) => (entry[1] = [])),
    ];
    const attempts = p
      .create(
        "Attempts",
        changes.map((_, i) => i),
      )
      .map(
        "Change",
        (i, { sideInputs: views }) => {
          try {
            changes[i]?.(views);
          } catch {
            // Refused: what counts is what the views hold afterwards.
          }
          return [[...views.list], [...views.map], [...views.multimap], [...views.iterable]];
        },
        { sideInputs },
      );
    assertThat(attempts).satisfies((values) => {
      expect(values).toHaveLength(changes.length);
      for (const seen of values) expect(seen).toEqual([[["a", 1]], [["a", 1]], [["a", [1]]], [["a", 1]]]);
    });
  });

  eachMode("ViewTest.testVoidSideInput, testSideInputWithNestedIterables", (p) => {
    const view = p.create("Null", [null]).asSingleton();
    const nested = p.create("Nested", [[[1, 2], [3]], [[4]]]).asList();
    const results = p.create([1]).map((n, { sideInputs }) => [n, sideInputs.view, sideInputs.nested.flat(2)], {
      sideInputs: { view, nested },
    });
    assertThat(results).satisfies((values) => {
      expect(values.map(([n, none, numbers]) => [n, none, sorted(numbers)])).toEqual([[1, null, [1, 2, 3, 4]]]);
    });
  });

  eachMode("ViewTest.testWindowedSideInputFixedToFixedWithDefault: the default where a window is empty", (p) => {
    const side = p
      .createTimestamped("Side", [at(2, 2), at(3, 3)])
      .apply("Side windows", tens)
      .apply("Sum", combineGloballyAsSingleton(sumFn()));
    const results = p
      .createTimestamped("Main", [at(1, "A"), at(5, "B"), at(15, "C")])
      .apply("Main windows", tens)
      .map((x, { sideInputs }) => x + sideInputs.side, { sideInputs: { side } });
    assertThat(results).containsInAnyOrder(["A5", "B5", "C0"]);
  });

  eachMode(
    "ViewTest.testSingletonSideInput in an unlike windowing: the default of a window without an element",
    (p) => {
      const side = p
        .createTimestamped("Side", [at(2, 47)])
        .apply("Side windows", tens)
        .asSingleton({ default: "none" });
      const results = p
        .createTimestamped("Main", [at(1, "A"), at(15, "B")])
        .apply("Main windows", windowInto(fixedWindows(5)))
        .map((x, { sideInputs }) => `${x} ${sideInputs.side}`, { sideInputs: { side } });
      assertThat(results).containsInAnyOrder(["A 47", "B none"]);
    },
  );
});

describe("Maps and multimaps", () => {
  eachMode("MapViewTest.testMultimapSideInput, Windowed, Empty, AsEntrySet", (p) => {
    const side = p
      .createTimestamped<Pair>("Side", [
        at(1, ["a", 1]),
        at(1, ["a", 1]),
        at(2, ["a", 2]),
        at(7, ["b", 3]),
        at(14, ["b", 31]),
      ])
      .apply("Side windows", tens);
    const none = p.create<Pair>("None", []).apply("No windows", tens);
    const results = p
      .createTimestamped("Main", [at(5, "a"), at(6, "b"), at(16, "b"), at(17, "a")])
      .apply("Main windows", tens)
      .map(
        "Look",
        (key, { sideInputs: { side: multimap, empty } }) => [
          key,
          sorted(multimap.get(key) ?? []),
          [...multimap].map(([k, values]) => `${k} ${sorted(values).join()}`).toSorted(),
          empty.size,
          empty.get(key) ?? null,
        ],
        { sideInputs: { side: side.asMultimap(), empty: none.asMultimap("Empty") } },
      );
    assertThat(results).containsInAnyOrder([
      ["a", [1, 1, 2], ["a 1,1,2", "b 3"], 0, null],
      ["b", [3], ["a 1,1,2", "b 3"], 0, null],
      ["b", [31], ["b 31"], 0, null],
      ["a", [], ["b 31"], 0, null],
    ]);
  });

  eachMode("MapViewTest.testMapSideInput, Windowed, Empty, AsEntrySet, with keys equal by content", (p) => {
    const side = p
      .createTimestamped<KV<{ id: number }, string>>("Side", [at(1, [{ id: 1 }, "one"]), at(11, [{ id: 1 }, "eleven"])])
      .apply("Side windows", tens);
    const none = p.create<Pair>("None", []).apply("No windows", tens);
    const results = p
      .createTimestamped("Main", [at(5, 1), at(15, 1), at(16, 2)])
      .apply("Main windows", tens)
      .map(
        "Look",
        (id, { sideInputs: { side: map, empty } }) => [map.get({ id }) ?? null, [...map.values()], empty.size],
        { sideInputs: { side: side.asMap(), empty: none.asMap("Empty") } },
      );
    assertThat(results).containsInAnyOrder([
      ["one", ["one"], 0],
      ["eleven", ["eleven"], 0],
      [null, ["eleven"], 0],
    ]);
  });

  test("MapViewTest.testMapSideInputWithNullValuesCatchesDuplicates", async () => {
    const error = await failureOf((p) => {
      const map = p
        .create<KV<string, number | null>>("Side", [
          ["a", null],
          ["a", null],
        ])
        .asMap();
      p.create(["a"]).map((key, { sideInputs }) => sideInputs.map.get(key) ?? null, { sideInputs: { map } });
    });
    expect(error).toMatchObject({ code: "MAP_VIEW_DUPLICATE_KEY" });
  });

  eachMode("MapViewTest.testMapSideInputWithNullValues: a null value is there", (p) => {
    const map = p.create<KV<string, number | null>>("Side", [["a", null]]).asMap();
    const results = p.create(["a", "b"]).map((key, { sideInputs }) => [sideInputs.map.has(key), sideInputs.map.size], {
      sideInputs: { map },
    });
    assertThat(results).containsInAnyOrder([
      [true, 1],
      [false, 1],
    ]);
  });
});

describe("Several views, and windows of other sizes", () => {
  eachMode("ParDoTest.testParDoWithSideInputs(+MultiOutput), testSideInputAnnotation(+Multiple)", (p) => {
    const sideInputs = {
      number: p.create("Number", [11]).asSingleton(),
      word: p.create("Word", ["x"]).asSingleton("As word"),
      set: p.create("Sets", [new Set([1, 2])]).asSingleton("As set"),
      pairs: p.create<Pair>("Pairs", [["a", 1]]).asMap(),
    };
    const results = p.create([1, 2]).parDo({
      sideInputs,
      outputs: { main: output<string>(), other: output<number>() },
      process(n: number, { sideInputs: { number, word, set, pairs }, output: put, outputTo }) {
        put(`${n} ${number} ${word} ${[...set].join()} ${pairs.get("a")}`);
        outputTo("other", n + number);
      },
    });
    assertThat(results).containsInAnyOrder(["1 11 x 1,2 1", "2 11 x 1,2 1"]);
    assertThat(results.outputs.other).containsInAnyOrder([12, 13]);
  });

  eachMode("ParDoTest.testSameSideInputReadTwice: one view under two names and in two steps", (p) => {
    const side = p.create("Side", [3, 1, 2]).asList();
    const first = p.create([10]).map("First", (n, { sideInputs: { a, b } }) => [n, sorted(a), sorted(b)], {
      sideInputs: { a: side, b: side },
    });
    const second = p.create("Again", [20]).map("Second", (n, { sideInputs: { a } }) => [n, sorted(a)], {
      sideInputs: { a: side },
    });
    assertThat(first).isSingleton([10, [1, 2, 3], [1, 2, 3]]);
    assertThat(second).isSingleton([20, [1, 2, 3]]);
  });

  eachMode("fn_runner.test_pardo_windowed_side_inputs: main windows of 5, side windows of 2 and 20", (p) => {
    const numbers = (name: string, upTo: number): PCollection<number> =>
      p.createTimestamped(
        name,
        Array.from({ length: upTo }, (_, n) => at(n, n)),
      );
    const looked = (size: number): PCollection<readonly [number, number[]]> => {
      const side = numbers(`Side ${size}`, 7)
        .apply(`Side windows ${size}`, windowInto(fixedWindows(size)))
        .asList(`View ${size}`);
      return numbers(`Main ${size}`, 10)
        .apply(`Main windows ${size}`, windowInto(fixedWindows(5)))
        .map(`Look ${size}`, (n, { sideInputs }) => [n, sorted(sideInputs.side)] as const, { sideInputs: { side } });
    };
    // The windows [0, 5) and [5, 10) end at 4 and at 9: side windows [4, 6) and [8, 10).
    assertThat(looked(2)).containsInAnyOrder(Array.from({ length: 10 }, (_, n) => [n, n < 5 ? [4, 5] : []] as const));
    assertThat(looked(20)).containsInAnyOrder(
      Array.from({ length: 10 }, (_, n) => [n, [0, 1, 2, 3, 4, 5, 6]] as const),
    );
  });

  eachMode("fn_runner.test_pardo_unfusable_side_inputs_with_separation: a cross join behind another step", (p) => {
    const letters = p.create(["a", "b"]);
    const mapped = letters.map("Same", (x) => x);
    const all = mapped.asList();
    const pairs = mapped.flatMap("Cross", (x, { sideInputs }) => sideInputs.all.map((y) => x + y), {
      sideInputs: { all },
    });
    assertThat(pairs).containsInAnyOrder(["aa", "ab", "ba", "bb"]);
    const three = p.flatten(letters, mapped).asList("Flattened");
    const counts = letters.map("Count", (x, { sideInputs }) => x + sideInputs.three.length, { sideInputs: { three } });
    assertThat(counts).containsInAnyOrder(["a4", "b4"]);
  });

  eachMode("Go ValidateWindowedSideInputs: windowed sums of side inputs per main window", (p) => {
    const stamped = (name: string): PCollection<number> => p.createTimestamped(name, [at(0, 1), at(1, 2), at(2, 3)]);
    const sums = (main: PCollection<number>, side: PCollection<number>, name: string): PCollection<number> => {
      const view = side.asList(`View ${name}`);
      return main
        .map(`Add ${name}`, (n, { sideInputs }) => sideInputs.view.reduce((a, b) => a + b, n), { sideInputs: { view } })
        .apply(`Globally ${name}`, windowInto(globalWindows()))
        .apply(`Sum ${name}`, combineGlobally(sumFn()));
    };
    const ones = (name: string): PCollection<number> =>
      stamped(name).apply(`${name} fixed`, windowInto(fixedWindows(1)));
    const global = (name: string): PCollection<number> =>
      stamped(name).apply(`${name} global`, windowInto(globalWindows()));
    assertThat(sums(ones("m1"), ones("s1"), "fixed to fixed")).isSingleton(1 + 1 + 2 + 2 + 3 + 3);
    assertThat(sums(ones("m2"), global("s2"), "fixed to global")).isSingleton(1 + 2 + 3 + 3 * 6);
    const sliding = stamped("s3").apply("Sliding", windowInto(slidingWindows({ size: 3, every: 1 })));
    // The windows [0, 1), [1, 2), [2, 3) see the earliest sliding window with their last instant: [-2, 1), [-1, 2), [0, 3).
    assertThat(sums(ones("m3"), sliding, "fixed to sliding")).isSingleton(6 + 1 + 3 + 6);
  });

  eachMode("FlattenTest.testFlattenIterables as views: lists, sets, nothing", (p) => {
    const flat = p.create<Iterable<number>>("Iterables", [[1, 2], new Set([3]), []]).flatMap((values) => values);
    assertThat(flat).containsInAnyOrder([1, 2, 3]);
  });

  eachMode("ViewTest…: a view in a window that no element of it is in is empty, not awaited for ever", (p) => {
    const side = p
      .createTimestamped("Side", [at(100, 1)])
      .apply("Side windows", tens)
      .asList();
    const looks: DoFn<number, number, {}, {}, { side: typeof side }> = {
      sideInputs: { side },
      process: (n, { sideInputs }) => [n + sideInputs.side.length],
    };
    const results = p
      .createTimestamped("Main", [at(1, 10), at(101, 20)])
      .apply("Main windows", tens)
      .parDo(looks);
    assertThat(results).inWindow(new IntervalWindow(0, 10)).isSingleton(10);
    assertThat(results).inWindow(new IntervalWindow(100, 110)).isSingleton(21);
  });
});
