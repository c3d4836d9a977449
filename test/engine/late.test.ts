/** `.late`: each element that a step does not take comes out there once for each window, and is counted, in every lane. */
import {
  afterCount,
  afterProcessingTime,
  afterWatermark,
  combinePerKey,
  eventTimer,
  fixedWindows,
  IntervalWindow,
  type KV,
  type Late,
  type PCollection,
  type Pipeline,
  repeatedly,
  sessions,
  slidingWindows,
  sumFn,
  type Trigger,
  valueState,
  windowInto,
  type WindowFn,
} from "tidemark";
import { assertThat, at, type Collected, runTest, testStream, type TestStreamBuilder } from "tidemark/testing";
import { describe, expect, test } from "vitest";

type Pair = KV<string, number>;
type Lates = PCollection<Late<Pair>>;

interface Outcome {
  readonly late: readonly Collected<Late<Pair>>[];
  readonly dropped: number;
  readonly warnings: readonly string[];
}

/** Runs `build` and says what came out of the collection that it returns, how much was dropped, and the warnings. */
async function lates(build: (p: Pipeline) => Lates, allowUnsafeTriggers = false): Promise<Outcome> {
  let late: readonly Collected<Late<Pair>>[] = [];
  const warnings: string[] = [];
  const metrics = await runTest(
    (p) => {
      assertThat(build(p)).satisfies((_, all) => {
        late = all;
      });
    },
    { allowUnsafeTriggers, onWarning: (warning) => warnings.push(warning) },
  );
  return { late, dropped: metrics.dropped, warnings };
}

/** What must be said of a late element, its window by bounds. */
function late(
  element: Pair,
  timestamp: number,
  [start, end]: readonly [number, number],
  more: Pick<Late<unknown>, "watermark" | "lateBy" | "reason">,
): Late<Pair> {
  return { element, timestamp, window: new IntervalWindow(start, end), ...more };
}

const values = ({ late: all }: Outcome): Late<Pair>[] => all.map(({ value }) => value);

interface Keyed {
  readonly late: Lates;
}
/** Keyed steps: one for each way in which elements are filed. */
const STEPS: readonly (readonly [string, (input: PCollection<Pair>) => Keyed])[] = [
  ["groupByKey", (input) => input.groupByKey()],
  ["a combine", (input) => input.apply(combinePerKey(sumFn()))],
  ["groupByKey with a trigger", (input) => triggered(input).groupByKey()],
  ["a combine with a trigger", (input) => triggered(input).apply(combinePerKey(sumFn()))],
  ["a synchronous stateful step", (input) => input.parDo({ state: { n: valueState<number>() }, process() {} })],
  ["an async stateful step", (input) => input.parDo({ state: { n: valueState<number>() }, async process() {} })],
  [
    "an async step with timers",
    (input) => input.parDo({ timers: { end: eventTimer() }, async process() {}, onTimer: { end() {} } }),
  ],
  [
    "a stateful step that is retried",
    (input) => input.parDo({ state: { n: valueState<number>() }, process() {} }, { retry: { attempts: 2 } }),
  ],
];
const triggered = (input: PCollection<Pair>): PCollection<Pair> =>
  input.windowInto({ trigger: repeatedly(afterCount(1)) });

describe.each(STEPS)("expired elements of %s", (_name, step) => {
  test("come with window, watermark, lateness and reason, in order, once each", async () => {
    const stream = testStream<Pair>()
      .addElements(at(3, ["k", 1]))
      .advanceWatermarkTo(14)
      .addElements(at(4, ["k", 2]))
      .advanceWatermarkTo(100)
      .addElements(at(5, ["k", 3]), at(6, ["other", 4]), at(99, ["k", 5]))
      .advanceWatermarkToInfinity();
    const outcome = await lates((p) => step(p.apply(stream).windowInto(fixedWindows(10), { allowedLateness: 5 })).late);
    const more = { watermark: 100, lateBy: 86, reason: "expired" } as const;
    expect(values(outcome)).toEqual([late(["k", 3], 5, [0, 10], more), late(["other", 4], 6, [0, 10], more)]);
    expect(outcome.late.map(({ timestamp, window: { id } }) => [timestamp, id])).toEqual([
      [5, "global"],
      [6, "global"],
    ]);
    expect(outcome.dropped).toBe(2);
    expect(outcome.warnings).toEqual([]);
  });

  test("an element in two windows of which one has expired is late for that one alone", async () => {
    const stream = testStream<Pair>()
      .advanceWatermarkTo(12)
      .addElements(at(7, ["k", 1]))
      .advanceWatermarkToInfinity();
    const outcome = await lates((p) => step(p.apply(stream).windowInto(slidingWindows({ size: 10, every: 5 }))).late);
    const more = { watermark: 12, lateBy: 3, reason: "expired" } as const;
    expect(values(outcome)).toEqual([late(["k", 1], 7, [0, 10], more)]);
    expect(outcome.dropped).toBe(1);
  });

  test("unread, they are counted and warned of", async () => {
    const warnings: string[] = [];
    const stream = testStream<Pair>()
      .advanceWatermarkTo(12)
      .addElements(at(3, ["k", 1]), at(4, ["k", 2]))
      .advanceWatermarkToInfinity();
    const { dropped } = await runTest((p) => void step(p.apply(stream).windowInto(fixedWindows(10))), {
      onWarning: (warning) => warnings.push(warning),
    });
    expect(dropped).toBe(2);
    expect(warnings).toEqual([expect.stringMatching(/^2 elements of step .* came after their window had expired/)]);
  });
});

describe.each([
  ["groupByKey", (input: PCollection<Pair>): Keyed => input.groupByKey()],
  ["a combine", (input: PCollection<Pair>): Keyed => input.apply(combinePerKey(sumFn()))],
])("elements of %s whose trigger has finished", (_name, step) => {
  /** `stream` in windows of which each trigger fires once. */
  const closing = (
    stream: TestStreamBuilder<Pair>,
    windowFn: WindowFn,
    trigger: Trigger,
    allowedLateness = 0,
  ): Promise<Outcome> =>
    lates((p) => {
      const input = p.apply(stream.advanceWatermarkToInfinity()).windowInto(windowFn, { trigger, allowedLateness });
      return step(input).late;
    }, true);

  test("come until the window expires, in order; other keys and windows are open", async () => {
    const stream = testStream<Pair>()
      .addElements(at(1, ["k", 1]))
      .advanceWatermarkTo(4)
      .addElements(at(2, ["k", 2]), at(5, ["k", 3]))
      .addElements(at(3, ["other", 4]), at(11, ["k", 5]))
      .advanceWatermarkTo(11)
      .addElements(at(6, ["k", 6]))
      .advanceWatermarkTo(20)
      .addElements(at(7, ["k", 7]));
    const outcome = await closing(stream, fixedWindows(10), afterCount(1), 5);
    const closed = { lateBy: 0, reason: "closed" } as const;
    expect(values(outcome)).toEqual([
      late(["k", 2], 2, [0, 10], { watermark: 4, ...closed }),
      late(["k", 3], 5, [0, 10], { watermark: 4, ...closed }),
      late(["k", 6], 6, [0, 10], { watermark: 11, ...closed }),
      late(["k", 7], 7, [0, 10], { watermark: 20, lateBy: 6, reason: "expired" }),
    ]);
    expect(outcome.late.map(({ timestamp, window: { id } }) => [timestamp, id])).toEqual([
      [2, "global"],
      [5, "global"],
      [6, "global"],
      [7, "global"],
    ]);
    expect(outcome.dropped).toBe(4);
    expect(outcome.warnings).toEqual([]);
  });

  test("come once for each window that is closed", async () => {
    const stream = testStream<Pair>()
      .addElements(at(7, ["k", 1]))
      .addElements(at(8, ["k", 2]))
      .addElements(at(13, ["k", 3]));
    const outcome = await closing(stream, slidingWindows({ size: 10, every: 5 }), afterCount(1));
    const said = values(outcome).map(({ element: [, n], window: { id }, reason }) => [n, id, reason]);
    const [first, second] = [new IntervalWindow(0, 10).id, new IntervalWindow(5, 15).id];
    expect(said).toHaveLength(3);
    expect(said).toEqual(
      expect.arrayContaining([
        [2, first, "closed"],
        [2, second, "closed"],
        [3, second, "closed"],
      ]),
    );
    expect(outcome.dropped).toBe(3);
  });

  test("come after the on-time pane of a trigger without late ones", async () => {
    const stream = testStream<Pair>()
      .addElements(at(1, ["k", 1]))
      .advanceWatermarkTo(20)
      .addElements(at(2, ["k", 2]));
    const outcome = await closing(stream, fixedWindows(10), afterWatermark(), 100);
    expect(values(outcome)).toEqual([late(["k", 2], 2, [0, 10], { watermark: 20, lateBy: 0, reason: "closed" })]);
  });

  test("come from a session of the same bounds; one that only overlaps it begins anew", async () => {
    const stream = testStream<Pair>()
      .addElements(at(1, ["k", 1]))
      .advanceWatermarkTo(1)
      .addElements(at(1, ["k", 2]))
      .addElements(at(3, ["k", 3]));
    const outcome = await closing(stream, sessions(10), afterCount(1));
    expect(values(outcome)).toEqual([late(["k", 2], 1, [1, 11], { watermark: 1, lateBy: 0, reason: "closed" })]);
  });

  test("unread, they are counted and warned of", async () => {
    const warnings: string[] = [];
    const stream = testStream<Pair>()
      .addElements(at(1, ["k", 1]))
      .addElements(at(2, ["k", 2]))
      .advanceWatermarkToInfinity();
    const { dropped } = await runTest(
      (p) => void step(p.apply(stream).windowInto(fixedWindows(10), { trigger: afterCount(1) })),
      { allowUnsafeTriggers: true, onWarning: (warning) => warnings.push(warning) },
    );
    expect(dropped).toBe(1);
    expect(warnings).toEqual([
      expect.stringMatching(/^1 elements of step .* after their window's trigger had finished/),
    ]);
  });
});

test("a session that grows past the watermark again waits for its early delay anew", async () => {
  const elements = testStream<string>()
    .addElements(at(0, "a"))
    .advanceWatermarkTo(12)
    .addElements(at(1, "b")) // late: waits for the late delay
    .addElements(at(8, "c")) // [0, 18) is not over
    .advanceProcessingTime(1)
    .advanceWatermarkToInfinity();
  await runTest((p) => {
    const grouped = p
      .apply(elements)
      .apply(
        windowInto(sessions(10), {
          trigger: afterWatermark({ early: afterProcessingTime(1), late: afterProcessingTime(100) }),
          accumulation: "accumulating",
          allowedLateness: 50,
        }),
      )
      .map((value): KV<string, string> => ["k", value])
      .groupByKey()
      .map(([, values], { pane }) => `${pane.timing} ${[...values].toSorted().join("")}`);
    assertThat(grouped).containsInAnyOrder(["ON_TIME a", "EARLY abc", "ON_TIME abc"]);
  });
});
