/**
 * Combines with side inputs: every method sees them, of the window that its accumulator is in; elements wait for them.
 */
import {
  afterCount,
  afterWatermark,
  combineGlobally,
  combinePerKey,
  type CombineFn,
  composeCombineFns,
  fixedWindows,
  globalWindows,
  type KV,
  type PCollection,
  type PCollectionView,
  type Pipeline,
  repeatedly,
  seconds,
  sessions,
  slidingWindows,
  sumFn,
  windowInto,
  type WindowFn,
} from "tidemark";
import { assertThat, at, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "../validates-runner/each-mode.ts";
import { failureOf } from "../validates-runner/failure.ts";

type Rate = { readonly rate: PCollectionView<number> };

/** Sums inputs times the rate, and says at the end what rate it began (or was merged) at, and which it sees there. */
const converted: CombineFn<number, { sum: number; began: number }, string, Rate> = {
  createAccumulator: ({ rate }) => ({ sum: 0, began: rate }),
  addInput: (accumulator, input, { rate }) => ({ ...accumulator, sum: accumulator.sum + input * rate }),
  mergeAccumulators: (several, { rate }) => ({ sum: several.reduce((sum, one) => sum + one.sum, 0), began: rate }),
  extractOutput: ({ sum, began }, { rate }) => `${sum} from ${began} at ${rate}`,
};

type Pairs = PCollection<KV<string, number>>;

/** Pairs at 1 s, 2 s, 11 s and 12 s, and a rate for each 10 s: 1, then 100. */
function clicks(p: Pipeline): { readonly input: Pairs; readonly rate: PCollectionView<number> } {
  const script = testStream<KV<string, number>>()
    .addElements(at(1000, ["a", 1]), at(2000, ["a", 2]), at(11_000, ["a", 3]), at(12_000, ["b", 4]))
    .advanceWatermarkTo(15_000)
    .advanceWatermarkToInfinity();
  const input = p.apply("Clicks", script);
  const rate = p
    .createTimestamped("Rates", [at(0, 1), at(10_000, 100), at(20_000, 10_000)])
    .windowInto("Rates by 10 s", fixedWindows(seconds(10)))
    .asSingleton("Rate");
  return { input, rate };
}

describe("in each lane", () => {
  const lanes: readonly (readonly [string, WindowFn<never>, readonly KV<string, string>[]])[] = [
    [
      "fixed windows",
      fixedWindows(seconds(10)) as never,
      [
        ["a", "3 from 1 at 1"],
        ["a", "300 from 100 at 100"],
        ["b", "400 from 100 at 100"],
      ],
    ],
    [
      // [-5, 5) and [0, 10) end in the first ten seconds, [5, 15) and [10, 20) in the second.
      "sliding windows",
      slidingWindows({ size: seconds(10), every: seconds(5) }) as never,
      [
        ["a", "3 from 1 at 1"],
        ["a", "3 from 1 at 1"],
        ["a", "300 from 100 at 100"],
        ["a", "300 from 100 at 100"],
        ["b", "400 from 100 at 100"],
        ["b", "400 from 100 at 100"],
      ],
    ],
  ];
  for (const [name, windowFn, expected] of lanes) {
    eachMode(`${name}: the view of each window`, (p) => {
      const { input, rate } = clicks(p);
      const windowed = input.windowInto(windowFn);
      assertThat(windowed.combinePerKey(converted, { sideInputs: { rate } })).containsInAnyOrder([...expected]);
    });
  }

  eachMode("sessions that merge: the view of the merged one", (p) => {
    const { input, rate } = clicks(p);
    // The one at 8.5 s makes one session of two, whose end is in the third ten seconds; the last one falls into it.
    const bridged = testStream<KV<string, number>>()
      .addElements(at(1000, ["a", 1]), at(16_000, ["a", 2]))
      .addElements(at(8500, ["a", 4]))
      .addElements(at(2000, ["a", 8]))
      .advanceWatermarkToInfinity();
    assertThat(
      p
        .apply("Bridged", bridged)
        .windowInto(sessions(seconds(8)))
        .combinePerKey(converted, { sideInputs: { rate } }),
    ).containsInAnyOrder([["a", "140001 from 10000 at 10000"]]);
    assertThat(
      input.windowInto(sessions(seconds(5))).combinePerKey("Apart", converted, { sideInputs: { rate } }),
    ).containsInAnyOrder([
      ["a", "3 from 1 at 1"],
      ["a", "300 from 100 at 100"],
      ["b", "400 from 100 at 100"],
    ]);
  });

  eachMode("panes that accumulate, and discard", (p) => {
    const script = testStream<KV<string, number>>()
      .addElements(at(1000, ["a", 1]))
      .addElements(at(2000, ["a", 2]))
      .advanceWatermarkTo(10_000)
      .addElements(at(3000, ["a", 4]))
      .advanceWatermarkToInfinity();
    const input = p.apply(script);
    const rate = p.create("Rates", [10]).asSingleton();
    const trigger = afterWatermark({ early: repeatedly(afterCount(1)), late: repeatedly(afterCount(1)) });
    const windowed = (accumulation: "accumulating" | "discarding"): PCollection<KV<string, string>> =>
      input
        .windowInto(`Window ${accumulation}`, fixedWindows(seconds(10)), {
          trigger,
          accumulation,
          allowedLateness: seconds(60),
        })
        .combinePerKey(`Sum ${accumulation}`, converted, { sideInputs: { rate } });
    const late = ([, text]: KV<string, string>, { pane }: { pane: { timing: string } }): readonly string[] =>
      pane.timing === "LATE" ? [text] : [];
    const discarding = windowed("discarding");
    assertThat(windowed("accumulating").flatMap(late)).containsInAnyOrder(["70 from 10 at 10"]);
    assertThat(discarding.flatMap(late)).containsInAnyOrder(["40 from 10 at 10"]);
    // A window that has nothing new still fires on time, from an accumulator that is made then.
    const onTime = ([, text]: KV<string, string>, { pane }: { pane: { timing: string } }): readonly string[] =>
      pane.timing === "ON_TIME" ? [text] : [];
    assertThat(discarding.flatMap(onTime)).containsInAnyOrder(["0 from 10 at 10"]);
  });
});

describe("waiting", () => {
  eachMode("elements wait until their window's view is there", (p) => {
    const { input } = clicks(p);
    const windowed = input.windowInto(fixedWindows(seconds(10)));
    // The view is made of the same elements, so it is there when their window is over, and no sooner.
    const rate = windowed
      .values()
      .apply(combineGlobally((all: Iterable<number>) => Math.max(...all), { withDefault: false }))
      .asSingleton();
    assertThat(windowed.combinePerKey(converted, { sideInputs: { rate } })).containsInAnyOrder([
      ["a", "6 from 2 at 2"],
      ["a", "12 from 4 at 4"],
      ["b", "16 from 4 at 4"],
    ]);
  });

  eachMode("a slowly changing view: each call sees what it holds then", (p) => {
    const script = testStream<KV<string, number>>()
      .addElements(at(0, ["rate", 10]))
      .addElements(at(0, ["a", 1]))
      .addElements(at(0, ["rate", 1000]))
      .addElements(at(0, ["a", 1]))
      .advanceWatermarkToInfinity();
    const input = p.apply(script).windowInto(globalWindows(), {
      trigger: repeatedly(afterCount(1)),
      onTimeBehavior: "fireIfNonEmpty",
    });
    const rate = input
      .filter(([key]) => key === "rate")
      .values()
      .asSingleton();
    const sums = input
      .filter(([key]) => key !== "rate")
      .windowInto({ accumulation: "accumulating" })
      .combinePerKey(converted, { sideInputs: { rate } });
    assertThat(sums).containsInAnyOrder([
      ["a", "10 from 10 at 10"],
      ["a", "1010 from 10 at 1000"],
    ]);
  });
});

describe("globally", () => {
  eachMode("with a default, which sees the side inputs too", (p) => {
    const rate = p.create("Rates", [7]).asSingleton();
    const sideInputs = { rate };
    const some = p.create("Some", [1, 2]);
    const none = p.create<number>("None", []);
    assertThat(some.apply("Some sum", combineGlobally(converted, { sideInputs }))).containsInAnyOrder([
      "21 from 7 at 7",
    ]);
    assertThat(none.apply("No sum", combineGlobally(converted, { sideInputs }))).containsInAnyOrder(["0 from 7 at 7"]);
    const without = none.apply("Nothing", combineGlobally(converted, { sideInputs, withDefault: false }));
    assertThat(without).isEmpty();
  });

  eachMode("in windows, without a default", (p) => {
    const { input, rate } = clicks(p);
    const sums = input
      .values()
      .windowInto(fixedWindows(seconds(10)))
      .apply(combineGlobally(converted, { sideInputs: { rate }, withDefault: false }));
    assertThat(sums).containsInAnyOrder(["3 from 1 at 1", "700 from 100 at 100"]);
  });
});

eachMode("a plain function gets them after the values, also where it makes one value of many", (p) => {
  const { rate } = clicks(p);
  const numbers = Array.from({ length: 300 }, (_, i): [string, number] => ["a", i]);
  const most = (all: Iterable<number>, side: { readonly most: number }): number =>
    Math.min(side.most, Math.max(...all));
  const sideInputs = { most: p.create("Most", [250]).asSingleton() };
  assertThat(p.create("Numbers", numbers).combinePerKey(most, { sideInputs })).containsInAnyOrder([["a", 250]]);
  assertThat(p.create("More", numbers).apply(combinePerKey(most, { sideInputs }))).containsInAnyOrder([["a", 250]]);
  assertThat(
    p
      .createTimestamped("Few", [at(0, ["a", 1] as KV<string, number>)])
      .apply(windowInto(fixedWindows(seconds(10))))
      .apply(combinePerKey((all: Iterable<number>, side) => Math.max(side.rate, ...all) + 1, { sideInputs: { rate } })),
  ).containsInAnyOrder([["a", 2]]);
});

eachMode("composed: each part sees them", (p) => {
  const { input, rate } = clicks(p);
  const both = composeCombineFns({ total: sumFn(), converted });
  assertThat(
    input.windowInto(fixedWindows(seconds(10))).combinePerKey(both, { sideInputs: { rate } }),
  ).containsInAnyOrder([
    ["a", { total: 3, converted: "3 from 1 at 1" }],
    ["a", { total: 3, converted: "300 from 100 at 100" }],
    ["b", { total: 4, converted: "400 from 100 at 100" }],
  ]);
});

test("a view that fails is the failure of the combine", async () => {
  const error = await failureOf((p) => {
    const rate = p.create("Rates", [1, 2]).asSingleton();
    p.create([["a", 1]]).combinePerKey("Convert", converted, { sideInputs: { rate } });
  });
  expect(error.code).toBe("SINGLETON_NOT_ONE");
  expect(error.context).toMatchObject({ step: "Convert" });
});

test("what is no view is refused", async () => {
  const error = await failureOf((p) => {
    p.create([["a", 1]]).combinePerKey("Convert", converted, { sideInputs: { rate: p.create([1]) } as never });
  });
  expect(error.code).toBe("SIDE_INPUT_INVALID");
});
