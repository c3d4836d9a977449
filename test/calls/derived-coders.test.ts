/** Coders that are given for a collection are handed on to what steps make of it: a class gets through every step, encoded. */
import {
  combineGlobally,
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
  valueState,
  withKeys,
} from "tidemark";
import { assertThat, at, runTest } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { failureOf } from "../validates-runner/failure.ts";
import { Point, pointCoder } from "./points.ts";

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
