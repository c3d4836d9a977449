/** Beam's ValidatesRunner scenarios on triggers, TestStream and processing-time grouping, by their names there. */
import {
  afterCount,
  afterProcessingTime,
  afterWatermark,
  always,
  combineGlobally,
  fixedWindows,
  globalWindows,
  IntervalWindow,
  type KV,
  MAX_TIMESTAMP,
  minutes,
  never,
  output,
  type PCollection,
  type Pipeline,
  repeatedly,
  seconds,
  sumFn,
  windowInto,
} from "tidemark";
import { assertThat, at, type Collected, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";
import { failureOf } from "./failure.ts";

type Pair = KV<string, number>;
const sorted = (values: readonly number[]): number[] => [...values].toSorted((a, b) => a - b);
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Each pane of one key as its sorted values; an empty pane as `[]`. */
function panes(input: PCollection<number>): PCollection<number[]> {
  return input
    .map("Key", (n): Pair => ["k", n])
    .groupByKey()
    .map("Sorted", ([, values]) => sorted(values));
}

/** Sums of the panes of each window. */
function sums(input: PCollection<number>): PCollection<number> {
  return input.apply("Sum", combineGlobally(sumFn(), { withDefault: false }));
}

/** Each element with the processing time at which it came out. */
function stamped<T>(input: PCollection<T>): PCollection<KV<T, number>> {
  return input.parDo("Stamp", {
    outputs: { main: output<KV<T, number>>() },
    process(value: T, { output: put, now }) {
      put([value, now()]);
    },
  });
}

const timings = (elements: readonly Collected<unknown>[]): string[] => elements.map(({ pane }) => pane.timing);

describe("TestStream", () => {
  eachMode("TestStreamTest.testLateDataAccumulating", (p) => {
    const window = new IntervalWindow(0, minutes(5));
    const grouped = panes(
      p
        .apply(
          testStream<number>()
            .addElements(at(0, 1), at(0, 2), at(0, 3))
            .advanceWatermarkTo(minutes(6))
            .addElements(at(0, 4), at(0, 5))
            .advanceWatermarkTo(minutes(20))
            .addElements(at(0, -1), at(0, -2), at(0, -3))
            .advanceWatermarkToInfinity(),
        )
        .apply(
          windowInto(fixedWindows(minutes(5)), {
            trigger: afterWatermark({ early: afterProcessingTime(minutes(2)), late: afterCount(1) }),
            accumulation: "accumulating",
            allowedLateness: minutes(5),
            closingBehavior: "fireAlways",
          }),
        ),
    );
    assertThat(grouped).inFinalPane(window).isSingleton([1, 2, 3, 4, 5]);
    assertThat(grouped).inOnTimePane(window).isSingleton([1, 2, 3]);
    assertThat(grouped).satisfies((values) => expect(values.flat().every((n) => n > 0)).toBe(true));
  });

  eachMode("TestStreamTest.testProcessingTimeTrigger: early sums 3 and 6", (p) => {
    const early = sums(
      p
        .apply(
          testStream<number>()
            .addElements(at(1000, 1), at(2000, 2))
            .advanceProcessingTime(minutes(12))
            .addElements(at(3000, 3))
            .advanceProcessingTime(minutes(6))
            .advanceWatermarkToInfinity(),
        )
        .apply(
          windowInto(globalWindows(), {
            trigger: afterWatermark({ early: afterProcessingTime(minutes(5)) }),
            accumulation: "accumulating",
          }),
        ),
    );
    assertThat(early).inEarlyPanes().containsInAnyOrder([3, 6]);
  });

  eachMode("TestStreamTest.testFirstElementLate: its window stays empty, the next one is on time", (p) => {
    const words = p
      .apply(
        testStream<string>()
          .advanceWatermarkTo(0)
          .addElements(at(-1_000_000, "late"))
          .addElements(at(100, "on time"))
          .advanceWatermarkToInfinity(),
      )
      .apply(windowInto(fixedWindows(seconds(5))))
      .map("Key", (word): KV<string, string> => ["k", word])
      .groupByKey();
    const values = words.flatMap("Words", ([, list]) => list);
    assertThat(values).inWindow(new IntervalWindow(-1_000_000, -995_000)).isEmpty();
    assertThat(values).inOnTimePane(new IntervalWindow(0, 5000)).isSingleton("on time");
    assertThat(words.late.map("Late", ({ element: [, word], reason }) => [word, reason])).isSingleton([
      "late",
      "expired",
    ]);
  });

  eachMode("TestStreamTest.testEarlyPanesOfWindow: early panes 1, 3, 6 and an on-time 6", (p) => {
    const results = sums(
      p
        .apply(
          testStream<number>()
            .advanceWatermarkTo(0)
            .addElements(at(1000, 1))
            .advanceProcessingTime(minutes(6))
            .addElements(at(2000, 2))
            .advanceProcessingTime(minutes(6))
            .addElements(at(3000, 3))
            .advanceProcessingTime(minutes(6))
            .advanceWatermarkToInfinity(),
        )
        .apply(
          windowInto(fixedWindows(minutes(30)), {
            trigger: afterWatermark({ early: afterProcessingTime(minutes(5)) }),
            accumulation: "accumulating",
          }),
        ),
    );
    assertThat(results).satisfies((values, elements) => {
      expect(values).toEqual([1, 3, 6, 6]);
      expect(timings(elements)).toEqual(["EARLY", "EARLY", "EARLY", "ON_TIME"]);
      expect(elements.map(({ pane }) => pane.index)).toEqual([0, 1, 2, 3]);
    });
  });

  eachMode("Go TestStreamSimple, Strings, Bool, Int64, Float64, Two…Sequences: types, and order by steps", (p) => {
    const stream = <T>(name: string, first: readonly T[], second: readonly T[]): PCollection<T> =>
      p.apply(
        name,
        testStream<T>()
          .addElements(...first.map((value) => at(100, value)))
          .advanceWatermarkTo(1000)
          .addElements(...second.map((value) => at(1100, value)))
          .advanceWatermarkToInfinity(),
      );
    const scripts: readonly (readonly [string, readonly unknown[], readonly unknown[]])[] = [
      ["Strings", ["a", "b"], ["c"]],
      ["Booleans", [true, false], [true]],
      ["Integers", [1, 2], [3, 4]],
      ["Big integers", [2n ** 62n], [-1n]],
      ["Floats", [0.5, -0], [Number.MIN_VALUE]],
    ];
    for (const [name, first, second] of scripts) {
      assertThat(stream(name, first, second)).satisfies((values) => expect(values).toEqual([...first, ...second]));
    }
  });

  test("TestStreamTest (construction): what has no meaning is refused", () => {
    const refused = expect.objectContaining({ code: "TEST_STREAM_INVALID" }) as Error;
    expect(() => testStream<number>().addElements(at(MAX_TIMESTAMP, 1))).toThrow(refused);
    expect(() => testStream<number>().advanceWatermarkTo(5).advanceWatermarkTo(4)).toThrow(refused);
    expect(() => testStream<number>().advanceWatermarkTo(MAX_TIMESTAMP)).toThrow(refused);
  });
});

describe("Triggers", () => {
  eachMode("Go TriggerDefault: two windows with sums 6 and 9", (p) => {
    const results = sums(
      p
        .apply(
          testStream<number>()
            .addElements(at(1000, 1), at(1000, 2), at(1000, 3))
            .advanceWatermarkTo(11_000)
            .addElements(at(12_000, 4), at(12_000, 5))
            .advanceWatermarkToInfinity(),
        )
        .apply(windowInto(fixedWindows(seconds(10)), { accumulation: "accumulating" })),
    );
    assertThat(results).inOnTimePane(new IntervalWindow(0, 10_000)).isSingleton(6);
    assertThat(results).inOnTimePane(new IntervalWindow(10_000, 20_000)).isSingleton(9);
    assertThat(results).containsInAnyOrder([6, 9]);
  });

  eachMode("Go TriggerAlways: a pane for each element", (p) => {
    const grouped = panes(
      p
        .apply(
          testStream<number>()
            .addElements(at(1000, 1))
            .addElements(at(2000, 2))
            .addElements(at(3000, 3))
            .advanceWatermarkToInfinity(),
        )
        .apply(windowInto(globalWindows(), { trigger: always(), accumulation: "discarding" })),
    );
    // At the window's end an on-time pane follows, with nothing in it.
    assertThat(grouped).containsInAnyOrder([[1], [2], [3], []]);
    assertThat(grouped)
      .inEarlyPanes()
      .containsInAnyOrder([[1], [2], [3]]);
  });

  eachMode("Go TriggerRepeat: six elements, count 2: three panes", (p) => {
    const grouped = panes(
      p
        .apply(
          testStream<number>()
            .addElements(at(1000, 1), at(1000, 2), at(1000, 3))
            .advanceWatermarkTo(2000)
            .addElements(at(6000, 4), at(6000, 5))
            .advanceWatermarkTo(10_000)
            .addElements(at(52_000, 10))
            .advanceWatermarkToInfinity(),
        )
        .apply(windowInto(globalWindows(), { trigger: repeatedly(afterCount(2)) })),
    );
    assertThat(grouped).satisfies((values) => {
      expect(values).toHaveLength(3);
      expect(total(values.flat())).toBe(25);
    });
  });

  eachMode("Go TriggerAfterEndOfWindow: early by count 2 on three elements, then on time: two panes", (p) => {
    const grouped = panes(
      p
        .apply(
          testStream<number>()
            .addElements(at(1000, 1), at(1000, 2), at(1000, 3))
            .advanceWatermarkTo(11_000)
            .advanceWatermarkToInfinity(),
        )
        .apply(
          windowInto(fixedWindows(seconds(10)), { trigger: afterWatermark({ early: repeatedly(afterCount(2)) }) }),
        ),
    );
    assertThat(grouped).satisfies((values, elements) => {
      expect(timings(elements)).toEqual(["EARLY", "ON_TIME"]);
      expect(sorted(values.flat())).toEqual([1, 2, 3]);
    });
  });

  eachMode("Go TriggerNever, trigger_test.test_never: one pane for each window, when it expires", (p) => {
    const grouped = stamped(
      panes(
        p
          .apply(
            testStream<number>()
              .addElements(at(1000, 1), at(2000, 2), at(12_000, 3))
              .advanceWatermarkTo(11_000)
              .advanceProcessingTime(1)
              .advanceWatermarkTo(15_000)
              .advanceProcessingTime(1)
              .advanceWatermarkToInfinity(),
          )
          .apply(windowInto(fixedWindows(seconds(10)), { trigger: never(), allowedLateness: seconds(5) })),
      ),
    );
    // The watermark 11,000 has passed the end of the first window, at the processing time 0; 15,000 its expiry, at 1.
    assertThat(grouped).containsInAnyOrder([
      [[1, 2], 1],
      [[3], 2],
    ]);
  });
});

describe("Processing-time grouping", () => {
  eachMode("GroupByKeyTest.testCombiningAccumulatingProcessingTime: no pane after expiry", (p) => {
    const results = p
      .apply(
        testStream<Pair>()
          .advanceWatermarkTo(0)
          .addElements(at(2, ["k", 2]), at(5, ["k", 5]))
          .advanceWatermarkTo(100)
          .advanceProcessingTime(10)
          .advanceWatermarkToInfinity(),
      )
      .apply(
        windowInto(fixedWindows(100), {
          trigger: repeatedly(afterProcessingTime(10)),
          accumulation: "accumulating",
          timestampCombiner: "earliest",
        }),
      )
      .combinePerKey(sumFn());
    assertThat(results).satisfies((values, elements) => {
      expect(values).toEqual([["k", 7]]);
      expect(elements.map(({ timestamp }) => timestamp)).toEqual([2]);
    });
  });

  eachMode("GroupByKeyTest.testAfterProcessingTimeContinuationTriggerEarly: the second grouping fires early", (p) => {
    const twice = p
      .apply(
        testStream<Pair>()
          .advanceWatermarkTo(0)
          .addElements(at(1, ["a", 1]))
          .advanceProcessingTime(20)
          .advanceProcessingTime(20)
          .advanceWatermarkToInfinity(),
      )
      .apply(
        windowInto(fixedWindows(minutes(1)), {
          trigger: afterWatermark({ early: afterProcessingTime(10) }),
          accumulation: "discarding",
        }),
      )
      .groupByKey("First")
      .map("Sum", ([key, values]): Pair => [key, total(values)])
      .groupByKey("Second")
      .map("Again", ([key, values]): Pair => [key, total(values)]);
    assertThat(twice).inEarlyPanes().isSingleton(["a", 1]);
    assertThat(stamped(twice)).satisfies((values) => {
      const early = values.find(([[, sum]]) => sum === 1);
      expect(early?.[1]).toBeLessThan(40);
    });
  });
});

describe("Groupings that are refused", () => {
  const unbounded = (p: Pipeline): PCollection<Pair> =>
    p.apply(
      testStream<Pair>()
        .addElements(at(1, ["k", 1]))
        .advanceWatermarkToInfinity(),
    );

  test("GroupByKeyTest (construction): unbounded in the global window with the default trigger", async () => {
    expect(await failureOf((p) => unbounded(p).groupByKey())).toMatchObject({ code: "GBK_NEVER_EMITS" });
  });

  test.each([
    ["afterCount(1)", afterCount(1)],
    ["afterWatermark()", afterWatermark()],
    ["afterProcessingTime(1)", afterProcessingTime(1)],
  ])("GroupByKeyTest (construction): a trigger that may finish and lose data: %s with lateness", async (_, trigger) => {
    const build = (p: Pipeline): unknown =>
      unbounded(p)
        .apply(windowInto(fixedWindows(10), { trigger, allowedLateness: 10 }))
        .groupByKey();
    expect(await failureOf(build)).toMatchObject({ code: "UNSAFE_TRIGGER" });
  });

  eachMode("GroupByKeyTest (construction): AfterWatermark is accepted at lateness 0", (p) => {
    const grouped = unbounded(p)
      .apply(windowInto(fixedWindows(10), { trigger: afterWatermark() }))
      .groupByKey();
    assertThat(grouped).isSingleton(["k", [1]]);
  });
});
