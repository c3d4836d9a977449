import { describe, expect, test } from "vitest";
import { runReference } from "./run.ts";
import {
  GLOBAL_END,
  ScenarioError,
  type GoldenEvent,
  type GoldenPane,
  type GoldenPipeline,
  type GoldenTrigger,
} from "./scenario.ts";
import { assign, expiry, GLOBAL, interval, overlaps, showWindow } from "./windows.ts";

const FIXED: GoldenPipeline = {
  kind: "group",
  window: { type: "fixed", size: 10 },
  trigger: { type: "default" },
  accumulation: "discarding",
  allowedLateness: 0,
  timestampCombiner: "endOfWindow",
};
const SESSIONS: GoldenPipeline = { ...FIXED, window: { type: "sessions", gap: 10 } };

const count = (n: number): GoldenTrigger => ({ type: "afterCount", count: n });
const repeatedly = (of: GoldenTrigger): GoldenTrigger => ({ type: "repeatedly", of });
const delay = (ms: number): GoldenTrigger => ({ type: "afterProcessingTime", delay: ms });
const AT_END: GoldenTrigger = { type: "afterWatermark" };

/** Elements `[value, ts]` of key "a", as one bundle. */
const add = (...elements: readonly (readonly [value: number, ts: number])[]): GoldenEvent => ({
  elements: elements.map(([value, ts]) => ({ key: "a", value, ts })),
});
const watermark = (to: number | "inf"): GoldenEvent => ({ watermark: to });
const wait = (ms: number): GoldenEvent => ({ advanceProcessingTime: ms });

const run = (pipeline: GoldenPipeline, ...events: GoldenEvent[]): ReturnType<typeof runReference> =>
  runReference({ pipeline, events });

/** A pane in short: `"timing/index value @timestamp"`, with `.` after the last pane of a window. */
const brief = (pane: GoldenPane): string =>
  `${pane.timing}/${pane.index} ${JSON.stringify(pane.value)} @${pane.timestamp}${pane.isLast ? "." : ""}`;
const panesOf = (pipeline: GoldenPipeline, ...events: GoldenEvent[]): string[] =>
  run(pipeline, ...events).panes.map(brief);

describe("windows", () => {
  test("windows N2: fixed windows before the epoch round down, and an offset shifts them", () => {
    expect(assign({ type: "fixed", size: 10 }, -1).map(showWindow)).toEqual([[-10, 0]]);
    expect(assign({ type: "fixed", size: 10 }, -10).map(showWindow)).toEqual([[-10, 0]]);
    expect(assign({ type: "fixed", size: 10, offset: 3 }, 2).map(showWindow)).toEqual([[-7, 3]]);
  });

  test("a sliding period that does not divide the size gives three windows here and two there", () => {
    const at = (ts: number): unknown[] => assign({ type: "sliding", size: 10, period: 4 }, ts).map(showWindow);
    expect(at(1)).toEqual([
      [0, 10],
      [-4, 6],
      [-8, 2],
    ]);
    expect(at(2)).toEqual([
      [0, 10],
      [-4, 6],
    ]);
    expect(at(-1)).toEqual([
      [-4, 6],
      [-8, 2],
    ]);
  });

  test("a sliding period longer than the size leaves instants that belong to no window, and nothing is dropped for them", () => {
    const pipeline: GoldenPipeline = { ...FIXED, window: { type: "sliding", size: 4, period: 10 } };
    const { panes, late } = run(pipeline, add([1, 3], [2, 4], [3, 9], [4, 10]), watermark("inf"));
    expect(panes.map(brief)).toEqual(["ON_TIME/0 [1] @3.", "ON_TIME/0 [4] @13."]);
    expect(late).toEqual([]);
  });

  test("windows N1: sessions that only touch stay apart; those that share an instant become one", () => {
    expect(overlaps([interval(0, 10), interval(10, 20)])).toEqual([]);
    expect(overlaps([interval(9, 19), interval(0, 10), interval(30, 40)]).map(({ into }) => showWindow(into))).toEqual([
      [0, 19],
    ]);
  });

  test("no window expires after the end of the global window", () => {
    expect(expiry(interval(0, 10), 5)).toBe(14);
    expect(expiry(GLOBAL, 1000)).toBe(GLOBAL_END);
  });
});

describe("lateness", () => {
  test("an element is taken while the watermark stands at its window's expiry, and dropped one millisecond later", () => {
    const pipeline: GoldenPipeline = { ...FIXED, allowedLateness: 5 };
    expect(run(pipeline, watermark(14), add([1, 0])).late).toEqual([]);
    expect(run(pipeline, watermark(15), add([1, 0])).late).toEqual([
      { key: "a", value: 1, ts: 0, window: [0, 10], reason: "expired", step: 0 },
    ]);
  });

  test("an element may be late for one sliding window and in time for another", () => {
    const { panes, late } = run(
      { ...FIXED, window: { type: "sliding", size: 10, period: 5 } },
      watermark(10),
      add([1, 7]),
      watermark("inf"),
    );
    expect(late.map((record) => record.window)).toEqual([[0, 10]]);
    expect(panes.map((pane) => pane.window)).toEqual([[5, 15]]);
  });

  test("a first pane after the end of its window is late, and the first of all", () => {
    expect(panesOf({ ...FIXED, allowedLateness: 100 }, watermark(12), add([1, 3]), add([2, 4]))).toEqual([
      "LATE/0 [1] @9",
      "LATE/1 [2] @9",
    ]);
  });

  test("with lateness, accumulating late panes repeat what was on time", () => {
    const pipeline: GoldenPipeline = { ...FIXED, accumulation: "accumulating", allowedLateness: 100 };
    expect(panesOf(pipeline, add([1, 3]), watermark(12), add([2, 4]), watermark("inf"))).toEqual([
      "ON_TIME/0 [1] @9",
      "LATE/1 [1,2] @9",
    ]);
  });

  test("grouping G2: a watermark that passes end and expiry at once gives one pane, on time and last", () => {
    expect(panesOf({ ...FIXED, allowedLateness: 5 }, add([1, 3]), watermark(100))).toEqual(["ON_TIME/0 [1] @9."]);
  });

  test("elements of a window whose trigger has finished are dropped as closed until it expires, then as expired", () => {
    const pipeline: GoldenPipeline = { ...FIXED, trigger: count(1), allowedLateness: 5, allowUnsafeTriggers: true };
    const { panes, late } = run(pipeline, add([1, 3]), add([2, 4]), watermark(30), add([3, 5]));
    expect(panes.map(brief)).toEqual(["EARLY/0 [1] @9."]);
    expect(late.map(({ value, reason }) => `${value} ${reason}`)).toEqual(["2 closed", "3 expired"]);
  });

  test("early firings without late ones finish at the end of the window: late elements are dropped as closed", () => {
    const pipeline: GoldenPipeline = {
      ...FIXED,
      trigger: { type: "afterWatermark", early: count(1) },
      allowedLateness: 100,
    };
    const { panes, late } = run(pipeline, add([1, 3]), watermark(10), add([2, 4]));
    expect(panes.map(brief)).toEqual(["EARLY/0 [1] @9", "ON_TIME/1 [] @9."]);
    expect(late.map((record) => record.reason)).toEqual(["closed"]);
  });
});

describe("empty panes", () => {
  const early: GoldenPipeline = {
    ...FIXED,
    trigger: { type: "afterWatermark", early: count(1), late: count(1) },
    allowedLateness: 5,
  };

  test("an on-time pane leaves though it is empty, unless the pipeline asks for non-empty ones only", () => {
    const script = [add([1, 3]), watermark(10), watermark("inf")];
    expect(panesOf(early, ...script)).toEqual(["EARLY/0 [1] @9", "ON_TIME/1 [] @9"]);
    expect(panesOf({ ...early, onTimeBehavior: "fireIfNonEmpty" }, ...script)).toEqual(["EARLY/0 [1] @9"]);
  });

  test("a pane that was not emitted does not count: the next one takes its index", () => {
    const pipeline: GoldenPipeline = { ...early, onTimeBehavior: "fireIfNonEmpty" };
    expect(panesOf(pipeline, add([1, 3]), watermark(10), add([2, 4]))).toEqual(["EARLY/0 [1] @9", "LATE/1 [2] @9"]);
  });

  test("closing behaviour `fireAlways` ends each window with a last pane", () => {
    const pipeline: GoldenPipeline = { ...early, closingBehavior: "fireAlways" };
    expect(panesOf(pipeline, add([1, 3]), watermark(10), watermark("inf")).at(-1)).toBe("LATE/2 [] @9.");
  });

  test("a window that nothing fired gives all it has when it expires, also under `never`", () => {
    const pipeline: GoldenPipeline = { ...FIXED, trigger: { type: "never" }, allowedLateness: 5 };
    expect(panesOf(pipeline, add([1, 3]), watermark(12), add([2, 4]))).toEqual([]);
    expect(panesOf(pipeline, add([1, 3]), watermark(12), add([2, 4]), watermark("inf"))).toEqual([
      "ON_TIME/0 [1,2] @9.",
    ]);
  });

  test("with no lateness a count trigger's remainder leaves on time at the end of the window", () => {
    const pipeline: GoldenPipeline = { ...FIXED, trigger: repeatedly(count(2)) };
    expect(panesOf(pipeline, add([1, 1]), add([2, 2]), add([3, 3]), watermark(10))).toEqual([
      "EARLY/0 [1,2] @9",
      "ON_TIME/1 [3] @9.",
    ]);
    expect(panesOf(pipeline, add([1, 1]), add([2, 2]), watermark(10))).toEqual([
      "EARLY/0 [1,2] @9",
      "ON_TIME/1 [] @9.",
    ]);
  });
});

describe("timing and the output watermark", () => {
  const counting: GoldenPipeline = { ...FIXED, trigger: repeatedly(count(2)), allowedLateness: 100 };

  test("grouping G3: a pane that waits past the end of its window holds the output watermark there, and so is still on time", () => {
    expect(panesOf(counting, add([1, 1]), watermark(50), add([2, 2]))).toEqual(["ON_TIME/0 [1,2] @9"]);
  });

  test("grouping G3: once the output watermark has passed the window's end, its first pane is late", () => {
    expect(panesOf(counting, watermark(50), add([1, 1]), add([2, 2]))).toEqual(["LATE/0 [1,2] @9"]);
  });

  test("grouping G3: another key's hold keeps a first pane on time that comes after the input watermark", () => {
    const pipeline: GoldenPipeline = { ...counting, trigger: repeatedly(count(2)) };
    const held: GoldenEvent = { elements: [{ key: "b", value: 9, ts: 3 }] };
    expect(panesOf(pipeline, held, watermark(50), add([1, 1]), add([2, 2]))).toEqual(["ON_TIME/0 [1,2] @9"]);
  });

  test("earliest and latest take the elements since the last pane that were not behind the output watermark", () => {
    const pipeline: GoldenPipeline = { ...FIXED, trigger: repeatedly(count(2)), timestampCombiner: "earliest" };
    const script = [
      add([1, 4]),
      add([2, 2]),
      watermark(3),
      add([3, 1]),
      add([4, 8]),
      watermark(5),
      add([5, 1], [6, 2]),
    ];
    expect(panesOf(pipeline, ...script)).toEqual(["EARLY/0 [1,2] @2", "EARLY/1 [3,4] @8", "EARLY/2 [5,6] @9"]);
    expect(panesOf({ ...pipeline, timestampCombiner: "latest" }, ...script)[0]).toBe("EARLY/0 [1,2] @4");
  });
});

test("grouping G3: an element after the end of its window does not give the pane its timestamp, even where the output watermark is behind it", () => {
  const pipeline: GoldenPipeline = {
    ...FIXED,
    trigger: repeatedly(count(2)),
    allowedLateness: 100,
    timestampCombiner: "earliest",
  };
  const held: GoldenEvent = { elements: [{ key: "b", value: 9, ts: 3 }] };
  expect(panesOf(pipeline, held, watermark(50), add([1, 5]), add([2, 6]))).toEqual(["ON_TIME/0 [1,2] @9"]);
});

describe("triggers", () => {
  const firedBy = (trigger: GoldenTrigger, ...events: GoldenEvent[]): string[] =>
    panesOf({ ...FIXED, trigger, allowUnsafeTriggers: true }, ...events);

  test("a count is asked at the end of the bundle, and means at least", () => {
    expect(firedBy(repeatedly(count(2)), add([1, 1], [2, 2], [3, 3]))).toEqual(["EARLY/0 [1,2,3] @9"]);
  });

  test("triggers R5: a delay runs from the pane's first element and is over when the clock reaches it", () => {
    const script = [add([1, 1]), wait(3), add([2, 2]), wait(1)];
    expect(firedBy(repeatedly(delay(5)), ...script)).toEqual([]);
    expect(firedBy(repeatedly(delay(5)), ...script, wait(1))).toEqual(["EARLY/0 [1,2] @9"]);
  });

  test("afterAny fires by whichever comes first and forgets the others' progress", () => {
    const any = repeatedly({ type: "afterAny", of: [count(2), delay(5)] });
    expect(firedBy(any, add([1, 1]), wait(4), add([2, 2]), add([3, 3]), wait(4))).toEqual(["EARLY/0 [1,2] @9"]);
    expect(firedBy(any, add([1, 1]), wait(5))).toEqual(["EARLY/0 [1] @9"]);
  });

  test("afterAll waits for each of its parts", () => {
    const all = repeatedly({ type: "afterAll", of: [count(2), delay(5)] });
    expect(firedBy(all, add([1, 1], [2, 2]), wait(4))).toEqual([]);
    expect(firedBy(all, add([1, 1], [2, 2]), wait(5))).toEqual(["EARLY/0 [1,2] @9"]);
    expect(firedBy(all, add([1, 1]), wait(5), add([2, 2]))).toEqual(["EARLY/0 [1,2] @9"]);
  });

  test("afterEach goes through its parts in order, and finishes with the last", () => {
    const each: GoldenTrigger = { type: "afterEach", of: [count(1), count(2)] };
    const { panes, late } = run(
      { ...FIXED, trigger: each, allowUnsafeTriggers: true },
      add([1, 1]),
      add([2, 2]),
      add([3, 3]),
      add([4, 4]),
    );
    expect(panes.map(brief)).toEqual(["EARLY/0 [1] @9", "EARLY/1 [2,3] @9."]);
    expect(late.map((record) => record.value)).toEqual([4]);
  });

  test("orFinally ends a repetition, and its condition counts across panes", () => {
    const trigger: GoldenTrigger = { type: "orFinally", of: repeatedly(count(2)), until: count(5) };
    const script = [1, 2, 3, 4, 5, 6].map((n) => add([n, n]));
    expect(firedBy(trigger, ...script)).toEqual(["EARLY/0 [1,2] @9", "EARLY/1 [3,4] @9", "EARLY/2 [5] @9."]);
  });

  test("orFinally the end of the window closes it on time", () => {
    const pipeline: GoldenPipeline = {
      ...FIXED,
      trigger: { type: "orFinally", of: repeatedly(count(1)), until: AT_END },
      allowedLateness: 100,
    };
    expect(panesOf(pipeline, add([1, 1]), watermark(10))).toEqual(["EARLY/0 [1] @9", "ON_TIME/1 [] @9."]);
  });

  test("always fires for each bundle", () => {
    expect(firedBy({ type: "always" }, add([1, 1], [2, 2]), add([3, 3]))).toEqual([
      "EARLY/0 [1,2] @9",
      "EARLY/1 [3] @9",
    ]);
  });

  test("late firings start counting at the end of the window", () => {
    const pipeline: GoldenPipeline = {
      ...FIXED,
      trigger: { type: "afterWatermark", late: count(2) },
      allowedLateness: 100,
    };
    expect(panesOf(pipeline, add([1, 1]), watermark(10), add([2, 2]), add([3, 3]))).toEqual([
      "ON_TIME/0 [1] @9",
      "LATE/1 [2,3] @9",
    ]);
  });
});

describe("merging", () => {
  test("a session made of two that had fired holds both and starts its panes anew", () => {
    const pipeline: GoldenPipeline = {
      ...SESSIONS,
      accumulation: "accumulating",
      trigger: { type: "afterWatermark", early: repeatedly(count(1)) },
    };
    const { panes, marks } = run(pipeline, add([1, 0]), add([2, 15]), add([3, 8]), watermark("inf"));
    expect(panes.map((pane) => `${brief(pane)} ${JSON.stringify(pane.window)}`)).toEqual([
      "EARLY/0 [1] @9 [0,10]",
      "EARLY/0 [2] @24 [15,25]",
      "EARLY/0 [1,2,3] @24 [0,25]",
      "ON_TIME/1 [1,2,3] @24. [0,25]",
    ]);
    expect(marks).toContainEqual({ kind: "merged", step: 0, fired: 2 });
  });

  test("grouping G4: an element inside a session leaves it the same window, and its panes count on", () => {
    const pipeline: GoldenPipeline = { ...SESSIONS, trigger: repeatedly(count(1)) };
    expect(panesOf(pipeline, add([1, 0], [2, 9]), add([3, 4]))).toEqual(["EARLY/0 [1,2] @18", "EARLY/1 [3] @18"]);
  });

  test("counts of merged sessions add up", () => {
    const pipeline: GoldenPipeline = { ...SESSIONS, trigger: repeatedly(count(3)) };
    expect(panesOf(pipeline, add([1, 0]), add([2, 15]), add([3, 8]))).toEqual(["EARLY/0 [1,2,3] @24"]);
  });

  test("the earliest pending delay of merged sessions counts", () => {
    const pipeline: GoldenPipeline = { ...SESSIONS, trigger: repeatedly(delay(5)) };
    expect(panesOf(pipeline, add([1, 0]), wait(3), add([2, 15]), add([3, 8]), wait(2))).toEqual([
      "EARLY/0 [1,2,3] @24",
    ]);
  });

  test("a session that had fired on time and is extended past the watermark fires on time again", () => {
    const pipeline: GoldenPipeline = {
      ...SESSIONS,
      trigger: { type: "afterWatermark", early: { type: "never" }, late: count(1) },
      allowedLateness: 100,
    };
    const { panes } = run(pipeline, add([1, 0]), watermark(12), add([2, 8]), watermark(20));
    expect(panes.map((pane) => `${brief(pane)} ${JSON.stringify(pane.window)}`)).toEqual([
      "ON_TIME/0 [1] @9 [0,10]",
      "ON_TIME/0 [2] @17 [0,18]",
    ]);
  });

  test("late firings go on in a merged session that is still past its end, if all its parts had fired on time", () => {
    const late: GoldenPipeline = {
      ...SESSIONS,
      trigger: { type: "afterWatermark", late: count(2) },
      allowedLateness: 100,
    };
    const script = [add([1, 0]), add([2, 30]), watermark(60), add([3, 8])];
    expect(panesOf(late, ...script)).toEqual(["ON_TIME/0 [1] @9", "ON_TIME/0 [2] @39"]);
    expect(panesOf(late, ...script, add([4, 9])).at(-1)).toBe("LATE/0 [3,4] @18");
  });

  test("a merged session whose parts had not all fired on time fires at once, and only then goes on to late firings", () => {
    const late: GoldenPipeline = {
      ...SESSIONS,
      trigger: { type: "afterWatermark", late: count(5) },
      allowedLateness: 100,
    };
    const script = [add([1, 0]), watermark(60), add([2, 15], [3, 8])];
    expect(panesOf(late, ...script)).toEqual(["ON_TIME/0 [1] @9", "LATE/0 [2,3] @24"]);
  });

  test("triggers R4: the next part of afterEach has counted along when a merge makes it its turn", () => {
    const pipeline: GoldenPipeline = {
      ...SESSIONS,
      trigger: { type: "afterEach", of: [count(2), count(3)] },
      allowUnsafeTriggers: true,
    };
    const script = [add([1, 0], [2, 0]), add([3, 15]), add([4, 8]), add([5, 9])];
    expect(panesOf(pipeline, ...script)).toEqual(["EARLY/0 [1,2] @9", "EARLY/0 [3,4,5] @24."]);
  });

  test("afterEach starts over from the part that a merge revives", () => {
    const trigger: GoldenTrigger = { type: "afterEach", of: [AT_END, count(1), count(1)] };
    const pipeline: GoldenPipeline = { ...SESSIONS, trigger, allowedLateness: 100, allowUnsafeTriggers: true };
    const script = [add([1, 0]), watermark(12), add([2, 0]), add([3, 8]), watermark(20), add([4, 8]), add([5, 8])];
    expect(panesOf(pipeline, ...script)).toEqual([
      "ON_TIME/0 [1] @9",
      "LATE/1 [2] @9",
      "ON_TIME/0 [3] @17",
      "LATE/1 [4] @17",
      "LATE/2 [5] @17.",
    ]);
  });

  test("grouping G5: a closed session that is made once more by a merge is open again", () => {
    const pipeline: GoldenPipeline = { ...SESSIONS, trigger: count(2), allowUnsafeTriggers: true };
    expect(panesOf(pipeline, add([1, 0], [2, 8]), add([3, 0]), add([4, 8]))).toEqual([
      "EARLY/0 [1,2] @17.",
      "EARLY/0 [3,4] @17.",
    ]);
  });

  test("grouping G5: a closed session merges with nothing: the next element opens one of its own, and only its very window is closed", () => {
    const { panes, late } = run(
      { ...SESSIONS, trigger: count(1), allowUnsafeTriggers: true },
      add([1, 0]),
      add([2, 5]),
      add([3, 0]),
    );
    expect(panes.map((pane) => pane.window)).toEqual([
      [0, 10],
      [5, 15],
    ]);
    expect(late.map(({ value, reason }) => `${value} ${reason}`)).toEqual(["3 closed"]);
  });
});

describe("two groupings in a row", () => {
  test("a count trigger goes on as one that fires for each pane of the first grouping", () => {
    const pipeline: GoldenPipeline = { ...FIXED, kind: "cascade", combine: "sum", trigger: repeatedly(count(2)) };
    expect(panesOf(pipeline, add([1, 1], [2, 2]), add([3, 3], [4, 4]), watermark("inf"))).toEqual([
      "EARLY/0 3 @9",
      "EARLY/1 7 @9",
      "EARLY/2 0 @9",
      "ON_TIME/3 0 @9.",
    ]);
  });

  test("run M3: a delay goes on as a firing once the first grouping's panes are all there", () => {
    const pipeline: GoldenPipeline = { ...FIXED, kind: "cascade", combine: "sum", trigger: repeatedly(delay(5)) };
    const both: GoldenEvent = {
      elements: [
        { key: "a", value: 1, ts: 1 },
        { key: "b", value: 2, ts: 1 },
      ],
    };
    expect(panesOf(pipeline, both, wait(5))).toEqual(["EARLY/0 3 @9"]);
  });

  test("run M2: the second grouping's panes are on time, since the watermark follows the first one's panes", () => {
    const pipeline: GoldenPipeline = { ...FIXED, kind: "cascade", combine: "count" };
    expect(panesOf(pipeline, add([1, 1], [2, 2]), watermark(10))).toEqual(["ON_TIME/0 2 @9."]);
  });

  test("sessions of the first grouping are not merged again by the second", () => {
    const pipeline: GoldenPipeline = { ...SESSIONS, kind: "cascade", combine: "sum" };
    const keys: GoldenEvent = {
      elements: [
        { key: "a", value: 1, ts: 0 },
        { key: "b", value: 2, ts: 5 },
      ],
    };
    expect(run(pipeline, keys, watermark("inf")).panes.map((pane) => pane.window)).toEqual([
      [0, 10],
      [5, 15],
    ]);
  });

  test("new windows in between take the panes by their timestamps", () => {
    const pipeline: GoldenPipeline = {
      ...FIXED,
      kind: "cascadeRewindow",
      combine: "sum",
      window2: { type: "fixed", size: 20 },
    };
    const { panes } = run(pipeline, add([1, 1], [2, 12], [3, 25]), watermark("inf"));
    expect(panes.map((pane) => [pane.window, pane.value])).toEqual([
      [[0, 20], 3],
      [[20, 40], 3],
    ]);
  });

  test("an earliest timestamp holds the watermark of the second grouping back", () => {
    const pipeline: GoldenPipeline = {
      ...FIXED,
      kind: "cascadeRewindow",
      combine: "sum",
      window: { type: "sessions", gap: 10 },
      window2: { type: "fixed", size: 5 },
      timestampCombiner: "earliest",
    };
    const script = [add([1, 0]), add([2, 8]), watermark(12)];
    expect(panesOf(pipeline, ...script)).toEqual([]);
    expect(panesOf(pipeline, ...script, watermark(18))).toEqual(["ON_TIME/0 3 @0."]);
  });
});

test("scenario S3: a watermark that goes back is refused", () => {
  expect(() => run(FIXED, watermark(5), watermark(4))).toThrow(ScenarioError);
});
