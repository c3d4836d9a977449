import { describe, expect, test } from "vitest";
import { runReference } from "./run.ts";
import { ScenarioError, type GoldenEvent, type GoldenPipeline } from "./scenario.ts";

const BASE: GoldenPipeline = {
  kind: "stateful",
  window: { type: "global" },
  trigger: { type: "default" },
  accumulation: "discarding",
  allowedLateness: 0,
  timestampCombiner: "endOfWindow",
};

/** Elements `[value, ts]` of key "a", as one bundle. */
const add = (...elements: readonly (readonly [value: number, ts: number])[]): GoldenEvent => ({
  elements: elements.map(([value, ts]) => ({ key: "a", value, ts })),
});
const watermark = (to: number | "inf"): GoldenEvent => ({ watermark: to });
const wait = (ms: number): GoldenEvent => ({ advanceProcessingTime: ms });

const run = (pipeline: GoldenPipeline, ...events: GoldenEvent[]): ReturnType<typeof runReference> =>
  runReference({ pipeline, events });

describe("stateful programs", () => {
  const stateful = (more: Partial<GoldenPipeline>): GoldenPipeline => ({ ...BASE, ...more });
  const emitted = (pipeline: GoldenPipeline, ...events: GoldenEvent[]): string[] =>
    run(pipeline, ...events).panes.map((pane) => `${JSON.stringify(pane.value)} @${pane.timestamp}`);

  test("F2: an event timer fires when the watermark is after it, with its own time", () => {
    const pipeline = stateful({ program: "bufferUntilWindowEnd", window: { type: "fixed", size: 10 } });
    expect(emitted(pipeline, add([2, 3], [1, 4]), watermark(9))).toEqual([]);
    expect(emitted(pipeline, add([2, 3], [1, 4]), watermark(10))).toEqual(["[1,2] @9"]);
  });

  test("F3: a cleared timer does not fire, and its bag is there for the next one", () => {
    const pipeline = stateful({ program: "cancelOnNegative", gap: 10 });
    expect(emitted(pipeline, add([1, 0]), add([-1, 1]), watermark(50), add([2, 60]), watermark(71))).toEqual([
      "[-1,1,2] @70",
    ]);
  });

  test("timers of a family are told apart by their tags", () => {
    expect(emitted(stateful({ program: "tagTimers" }), add([3, 0], [1, 0], [3, 500]), watermark("inf"))).toEqual([
      "1 @1000",
      "3 @3500",
    ]);
  });

  test("F2: a timer set while firing takes part in the same advance", () => {
    expect(emitted(stateful({ program: "ticker", period: 10, count: 3 }), add([1, 0]), watermark(100))).toEqual([
      "1 @10",
      "2 @20",
      "3 @30",
    ]);
  });

  test("F5: a processing timer's output carries the time of the element that set it", () => {
    expect(
      emitted(stateful({ program: "processingFlush", delay: 5 }), add([2, 7]), wait(3), add([1, 3]), wait(2)),
    ).toEqual(["[1,2] @7"]);
  });

  test("F4: elements after the window's expiry are dropped, and its state is gone", () => {
    const pipeline = stateful({ program: "runningCount", window: { type: "fixed", size: 10 } });
    const { panes, late } = run(pipeline, add([1, 1]), watermark(10), add([2, 2]), add([3, 11]));
    expect(panes.map((pane) => pane.value)).toEqual([1, 1]);
    expect(late.map((record) => record.value)).toEqual([2]);
  });

  test("an event timer after the expiry of its window is refused", () => {
    const pipeline = stateful({ program: "idleFlush", gap: 10, window: { type: "fixed", size: 10 } });
    expect(() => run(pipeline, add([1, 1]))).toThrow(ScenarioError);
  });
});
