/** Coders that are given for a collection are handed on to what steps make of it: a class gets through every step, encoded. */
import {
  type Coder,
  coGroupByKey,
  combineGlobally,
  type CombineCoders,
  type CombineFn,
  composeCombineFns,
  countFn,
  countPerElement,
  countPerKey,
  fixedWindows,
  flatten,
  type KV,
  kvCoder,
  kvSwap,
  MAX_TIMESTAMP,
  type PCollection,
  type Pipeline,
  stringCoder,
  sumFn,
  topFn,
  topPerKey,
  valueState,
  varintCoder,
  withKeys,
} from "tidemark";
import { assertThat, at, runTest, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";
import { type Counter, counterFn, Point, pointCoder } from "./points.ts";

const byText = kvCoder(stringCoder, pointCoder);
const byPoint = kvCoder(pointCoder, stringCoder);

const points = (p: Pipeline): PCollection<KV<string, Point>> =>
  p.create<KV<string, Point>>(
    [
      ["a", new Point(1)],
      ["a", new Point(2)],
    ],
    { coder: byText },
  );
const keyed = (p: Pipeline): PCollection<KV<Point, string>> =>
  p.create<KV<Point, string>>(
    [
      [new Point(1), "x"],
      [new Point(1), "y"],
    ],
    { coder: byPoint },
  );
const sum = (all: Iterable<Point>): Point => new Point([...all].reduce((total, { x }) => total + x, 0));
/** Asynchronous, so that it begins a stage, and what comes into it has been encoded. */
const later = async <T>(value: T): Promise<T> => value;
/** Sums the points' distances in an instance of a class. */
const counterOf = (): CombineFn<Point, Counter, number> => ({
  ...counterFn,
  addInput: (counter, { x }) => counter.add(x),
});
const double = async (point: Point): Promise<number> => point.double;

describe.each([false, true])("encoded %s", (encoded) => {
  const run = (build: (p: Pipeline) => void): Promise<unknown> => runTest(build, { encoded });

  test("values, keys, filter, reshuffle, partition, windowInto, withTimestamps, flatten", async () => {
    await run((p) => {
      const values = points(p)
        .filter(() => true)
        .reshuffle()
        .withTimestamps(() => 0)
        .windowInto(fixedWindows(10))
        .values();
      const [first] = values.partition(1, () => 0);
      assertThat(flatten([first, values]).map(double)).containsInAnyOrder([2, 4, 2, 4]);
      assertThat(keyed(p).keys("Keys").map("Double", double)).containsInAnyOrder([2, 2]);
    });
  });

  test("a grouping: its key, its list of values", async () => {
    await run((p) => {
      const grouped = points(p).groupByKey();
      const doubles = grouped.map(async ([key, values]) => [key, values.map((point) => point.double)]);
      assertThat(doubles).containsInAnyOrder([["a", [2, 4]]]);
      const byKey = keyed(p).groupByKey("By point");
      assertThat(byKey.map("Shown", async ([key, values]) => [key.double, values.length])).containsInAnyOrder([[2, 2]]);
      const both = flatten([grouped, points(p).groupByKey("Again")].map((group, i) => group.values(`Lists ${i}`)));
      assertThat(both.map("Both", async (values) => values[0]?.double)).containsInAnyOrder([2, 2]);
    });
  });

  test("a combine by a plain function gives values of the same kind", async () => {
    await run((p) => {
      const sums = points(p).combinePerKey(sum);
      assertThat(sums.values().map(double)).containsInAnyOrder([6]);
      const total = points(p).values("All").apply(combineGlobally(sum));
      assertThat(total.map("Total", double)).containsInAnyOrder([6]);
    });
  });

  test("a CombineFn says what its outputs are, or makes it of what its inputs are", async () => {
    await run((p) => {
      class Furthest implements CombineFn<Point, Point, Point> {
        readonly #least = new Point(-Infinity);
        createAccumulator(): Point {
          return this.#least;
        }
        addInput(a: Point, b: Point): Point {
          return a.x > b.x ? a : b;
        }
        mergeAccumulators(points: readonly Point[]): Point {
          return points.reduce((a, b) => this.addInput(a, b));
        }
        extractOutput(point: Point): Point {
          return point;
        }
        codersFor(input: Coder<unknown>): CombineCoders {
          return { accumulatorCoder: input, outputCoder: input };
        }
      }
      const furthest = points(p).combinePerKey(new Furthest());
      assertThat(furthest.map("Furthest", async ([, point]) => point.double)).containsInAnyOrder([4]);
      const made = points(p)
        .mapValues("X", ({ x }) => x)
        .combinePerKey({
          ...sumFn(),
          extractOutput: (x: number) => new Point(x),
          outputCoder: pointCoder,
        });
      assertThat(made.map("Made", async ([, point]) => point.double)).containsInAnyOrder([6]);
      const byX = (a: Point, b: Point): number => a.x - b.x;
      const top = points(p).apply(topPerKey(1, byX));
      assertThat(top.map("Top", async ([, [point]]) => point?.double)).containsInAnyOrder([4]);
      const composed = composeCombineFns({ furthest: new Furthest(), top: topFn(2, byX), n: countFn() });
      const all = points(p)
        .values("Values")
        .apply(combineGlobally(composed, { withDefault: false }));
      const shown = all.map("All", async (one) => [one.furthest.double, one.top.map(({ double: x2 }) => x2), one.n]);
      assertThat(shown).containsInAnyOrder([[4, [4, 2], 2]]);
      const perKey = points(p).combinePerKey("Composed", composeCombineFns({ counted: { ...counterOf(), name: "c" } }));
      assertThat(perKey.map("Counted", async ([, { counted }]) => counted)).containsInAnyOrder([3]);
    });
  });

  test("keys of a class are counted, and hold state", async () => {
    await run((p) => {
      const counts = keyed(p).apply(countPerKey());
      assertThat(counts.map(async ([key, n]) => [key.double, n])).containsInAnyOrder([[2, 2]]);
      const elements = keyed(p).keys().apply(countPerElement());
      assertThat(elements.map("Elements", async ([key, n]) => [key.double, n])).containsInAnyOrder([[2, 2]]);
      const swapped = points(p).apply(kvSwap()).apply("Swapped", countPerKey());
      assertThat(swapped.map("Shown", async ([key, n]) => [key.double, n])).containsInAnyOrder([
        [2, 1],
        [4, 1],
      ]);
      const mapped = keyed(p).mapValues(later).apply("Mapped", countPerKey());
      assertThat(mapped.map("Mapped shown", async ([key, n]) => [key.double, n])).containsInAnyOrder([[2, 2]]);
      const named = keyed(p)
        .keys("Points alone")
        .apply(withKeys((point) => point.x))
        .groupByKey();
      assertThat(named.map("Named", async ([x, all]) => [x, all[0]?.double])).containsInAnyOrder([[1, 2]]);
      const numbered = keyed(p).parDo({
        state: { n: valueState<number>() },
        process(_pair, { key, state: { n } }) {
          n.write((n.read() ?? 0) + 1);
          return [[key.double, n.read()]];
        },
      });
      assertThat(numbered).containsInAnyOrder([
        [2, 1],
        [2, 2],
      ]);
    });
  });

  test("late elements and dead letters hold the element", async () => {
    await run((p) => {
      const clicks = p.readTestStream<KV<string, Point>>(
        [
          { kind: "elements", elements: [at(1, ["a", new Point(1)])] },
          { kind: "watermark", to: 100 },
          { kind: "elements", elements: [at(2, ["a", new Point(2)])] },
          { kind: "watermark", to: MAX_TIMESTAMP },
        ],
        { coder: byText },
      );
      const grouped = clicks.windowInto(fixedWindows(10)).groupByKey();
      const shown = grouped.late.map(async ({ element: [, point], window, lateBy }) => [
        point.double,
        window.maxTimestamp,
        lateBy,
      ]);
      assertThat(shown).containsInAnyOrder([[4, 9, 91]]);
      const failed = points(p).map("Fail", (): number => {
        throw new Error("no");
      });
      const given = failed
        .deadLetter()
        .map("Given up", async ({ element, error }) => [element[1].double, error.message]);
      assertThat(given).containsInAnyOrder([
        [2, "no"],
        [4, "no"],
      ]);
    });
  });
});

test("a value that its coder cannot write is an error of the step that gave it", async () => {
  const error = await failureOf(
    (p) => {
      p.create(["a"])
        .map("Make", () => new Point(1))
        .map("Take", double);
    },
    { encoded: true },
  );
  expect(error).toMatchObject({ code: "VALUE_NOT_ENCODABLE", context: { step: "Make" } });
  const own = await failureOf(
    (p) => {
      p.create(["a"])
        .map("Make", () => null as unknown as Point, { coder: pointCoder })
        .map("Take", later);
    },
    { encoded: true },
  );
  expect(own).toMatchObject({ code: "STEP_FAILED", context: { step: "Make", element: "null" } });
});

test("a coder that is no good for keys is not taken for them", async () => {
  await runTest((p) => {
    const loose = { ...stringCoder, name: "loose", deterministic: false };
    const counts = p.create(["a", "a"], { coder: loose }).apply(countPerElement());
    assertThat(counts).containsInAnyOrder([["a", 2]]);
  });
});

describe("joins and map views", () => {
  const both = [{ encoded: true }, { encoded: false }] as const;

  test.each(both)("coGroupByKey hands on the coders of keys and of each side: %o", async (options) => {
    await runTest((p) => {
      const names = p.create<KV<Point, string>>("Names", [[new Point(1), "one"]], { coder: byPoint });
      const near = p.create<KV<Point, Point>>(
        "Near",
        [
          [new Point(1), new Point(2)],
          [new Point(3), new Point(4)],
        ],
        { coder: kvCoder(pointCoder, pointCoder) },
      );
      const joined = coGroupByKey({ names, near }).map("Later", later);
      assertThat(
        joined.map(([key, sides]) => [key.double, sides.names.join(""), sides.near.map((point) => point.double)]),
      ).containsInAnyOrder([
        [2, "one", [4]],
        [6, "", [8]],
      ]);
    }, options);
  });

  test.each(both)("late elements of a join keep theirs: %o", async (options) => {
    await runTest((p) => {
      const script = testStream<KV<string, Point>>({ coder: byText })
        .addElements(at(1000, ["a", new Point(1)]))
        .advanceWatermarkTo(60_000)
        .addElements(at(2000, ["a", new Point(2)]))
        .advanceWatermarkToInfinity();
      const joined = coGroupByKey({ near: p.apply(script).windowInto(fixedWindows(10_000)) });
      const late = joined.late.map(
        "Later",
        async ({ element: [key, { tag, value }] }) => `${key} ${tag} ${value.double}`,
      );
      assertThat(late).containsInAnyOrder(["a near 4"]);
    }, options);
  });

  test("coders of keys that differ are none: keys meet by content", async () => {
    await runTest((p) => {
      const left = p.create<KV<string, number>>("Left", [["a", 1]], { coder: kvCoder(stringCoder, varintCoder) });
      const right = p.create<KV<string, number>>("Right", [["a", 2]]);
      assertThat(coGroupByKey({ left, right })).containsInAnyOrder([["a", { left: [1], right: [2] }]]);
    });
  });

  test.each(both)("a map view looks up by the coder of its pairs: %o", async (options) => {
    await runTest((p) => {
      const map = p.create<KV<Point, string>>("Map", [[new Point(1), "one"]], { coder: byPoint }).asMap();
      const multimap = keyed(p).asMultimap();
      const found = p
        .create("Look", [1, 2])
        .map((x, { sideInputs }) => [sideInputs.map.get(new Point(x)), sideInputs.multimap.get(new Point(x))?.length], {
          sideInputs: { map, multimap },
        });
      assertThat(found).containsInAnyOrder([
        ["one", 2],
        [undefined, undefined],
      ]);
    }, options);
  });

  test("MAP_VIEW_DUPLICATE_KEY names the key", async () => {
    const twice = await failureOf((p) => {
      const view = p
        .create<KV<{ id: number }, string>>("Pairs", [
          [{ id: 7 }, "x"],
          [{ id: 7 }, "y"],
        ])
        .asMap();
      p.create([1]).map("Look", (_, { sideInputs }) => sideInputs.view.size, { sideInputs: { view } });
    });
    expect(twice).toMatchObject({ code: "MAP_VIEW_DUPLICATE_KEY", context: { step: "Look", window: "global" } });
    expect(twice.what).toContain('{"id":7}');
    expect(twice.context.key).toBe('{"id":7}');
    const byCoder = await failureOf((p) => {
      const view = keyed(p).asMap();
      p.create([1]).map("Look", (_, { sideInputs }) => sideInputs.view.size, { sideInputs: { view } });
    });
    expect(byCoder.code).toBe("MAP_VIEW_DUPLICATE_KEY");
  });

  test("KEY_CODER_NOT_DETERMINISTIC: of the keys of a map view", async () => {
    const loose = { ...stringCoder, name: "loose", deterministic: false };
    const error = await failureOf((p) => {
      p.create([["a", "b"]], { coder: kvCoder(loose, stringCoder) as never }).asMap();
    });
    expect(error.code).toBe("KEY_CODER_NOT_DETERMINISTIC");
  });
});
