/** Beam's ValidatesRunner scenarios on windows, grouping in windows, timestamps and reshuffle: those that core.test.ts does not have. */
import {
  afterCount,
  afterWatermark,
  combineGlobally,
  countPerElement,
  customWindows,
  fixedWindows,
  GLOBAL_WINDOW,
  type IntervalWindow,
  type KV,
  maxFn,
  output,
  type PCollection,
  sessions,
  slidingWindows,
  type Timestamp,
  type Window,
  windowInto,
  type WindowFn,
} from "tidemark";
import { assertThat, at, type Collected, testStream } from "tidemark/testing";
import { describe, expect, test } from "vitest";
import { eachMode } from "./each-mode.ts";
import { failureOf } from "./failure.ts";

type Pair = KV<string, number>;
const sorted = (values: readonly number[]): number[] => [...values].toSorted((a, b) => a - b);
const byText = (texts: Iterable<string>): string[] => [...texts].toSorted((a, b) => (a < b ? -1 : 1));

/** Each element with its window and timestamp, as text, in order. */
function shown(elements: readonly Collected<unknown>[]): string[] {
  return byText(
    elements.map(({ value, window, timestamp }) => `${JSON.stringify(value)} in ${window.id} at ${timestamp}`),
  );
}

/** Each key's values in order. */
function grouped<K>(input: PCollection<KV<K, number>>, name = "Group"): PCollection<KV<K, number[]>> {
  return input.groupByKey(name).map(`${name} sorted`, ([key, values]): KV<K, number[]> => [key, sorted(values)]);
}

/** Windows of a user's own class, each as long as the element says; they merge where they overlap, as a user may define it. */
class Stay implements Window {
  readonly from: Timestamp;
  readonly until: Timestamp;
  constructor(from: Timestamp, until: Timestamp) {
    this.from = from;
    this.until = until;
  }
  get maxTimestamp(): Timestamp {
    return this.until - 1;
  }
  get id(): string {
    return `stay ${this.from}-${this.until}`;
  }
}

/** Each element stays for as many ms as its value says; stays that overlap are one. */
const stays: WindowFn<Stay> = customWindows<Stay>({
  name: "stays",
  assign: (timestamp, element) => [new Stay(timestamp, timestamp + (element as Pair)[1])],
  merge(windows) {
    const groups: Stay[][] = [];
    let until = -Infinity;
    for (const stay of windows.toSorted((a, b) => a.from - b.from)) {
      if (stay.from < until) groups.at(-1)?.push(stay);
      else groups.push([stay]);
      until = Math.max(until, stay.until);
    }
    return groups
      .filter(({ length }) => length > 1)
      .map((from) => ({
        from,
        into: new Stay(Math.min(...from.map((s) => s.from)), Math.max(...from.map((s) => s.until))),
      }));
  },
  toData: ({ from, until }) => [from, until],
  fromData: (data) => new Stay(...(data as [number, number])),
});

describe("Windows", () => {
  eachMode("WindowingTest.testPartitioningWindowing: fixed 10 ms: a:1, b:2, c:1, d:1 with EARLIEST timestamps", (p) => {
    const counts = p
      .createTimestamped([at(1, "a"), at(2, "b"), at(3, "b"), at(11, "c"), at(11, "d")])
      .apply(windowInto(fixedWindows(10), { timestampCombiner: "earliest" }))
      .apply(countPerElement());
    assertThat(counts).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual([
        '["a",1] in 0:10 at 1',
        '["b",2] in 0:10 at 2',
        '["c",1] in 10:20 at 11',
        '["d",1] in 10:20 at 11',
      ]);
    });
  });

  eachMode("WindowingTest.testNonPartitioningWindowing: with EARLIEST timestamps inside each window", (p) => {
    const counts = p
      .createTimestamped([at(1, "a"), at(7, "a"), at(8, "b")])
      .apply(windowInto(slidingWindows({ size: 10, every: 5 }), { timestampCombiner: "earliest" }))
      .apply(countPerElement());
    assertThat(counts).satisfies((_values, elements) => {
      expect(elements.map(({ value: [key, n], window }) => `${key} ${n} ${window.id}`).toSorted()).toEqual([
        "a 1 -5:5",
        "a 1 5:15",
        "a 2 0:10",
        "b 1 0:10",
        "b 1 5:15",
      ]);
      for (const { timestamp, window } of elements) {
        expect(timestamp).toBeGreaterThanOrEqual((window as IntervalWindow).start);
        expect(timestamp).toBeLessThanOrEqual(window.maxTimestamp);
      }
    });
  });

  eachMode("WindowingTest.testMergingWindowing: sessions of 10: a@1,5 merge into [1,15); a@20 alone", (p) => {
    const counts = p
      // The sessions of b, [1, 11) and [11, 21), share no instant.
      .createTimestamped([at(1, "a"), at(5, "a"), at(20, "a"), at(1, "b"), at(11, "b")])
      .apply(windowInto(sessions(10), { timestampCombiner: "earliest" }))
      .apply(countPerElement());
    assertThat(counts).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual([
        '["a",1] in 20:30 at 20',
        '["a",2] in 1:15 at 1',
        '["b",1] in 11:21 at 11',
        '["b",1] in 1:11 at 1',
      ]);
    });
  });

  eachMode("WindowingTest.testWindowPreservation: flatten keeps the windows of its inputs", (p) => {
    const fixed = (name: string, ...values: readonly { timestamp: number; value: string }[]): PCollection<string> =>
      p.createTimestamped(name, values).apply(`${name} windows`, windowInto(fixedWindows(10)));
    const counts = p
      .flatten(fixed("One", at(1, "a"), at(2, "b")), fixed("Two", at(3, "b"), at(14, "a")))
      .apply(countPerElement());
    assertThat(counts).satisfies((_values, elements) => {
      expect(elements.map(({ value: [key, n], window }) => `${key} ${n} ${window.id}`).toSorted()).toEqual([
        "a 1 0:10",
        "a 1 10:20",
        "b 2 0:10",
      ]);
    });
  });

  eachMode(
    "WindowTest.testNoWindowFnDoesNotReassignWindows: other options alone keep windows that no longer fit",
    (p) => {
      const moved = p
        .createTimestamped<Pair>([at(1, ["a", 1]), at(2, ["a", 2]), at(11, ["a", 3])])
        .windowInto(fixedWindows(10), { allowedLateness: 7, closingBehavior: "fireAlways" })
        .withTimestamps(([, n]) => 100 + n, { allowedTimestampSkew: 0 })
        .windowInto({ accumulation: "accumulating", closingBehavior: "fireIfNonEmpty" });
      expect(moved.windowing).toMatchObject({
        accumulation: "accumulating",
        allowedLateness: 7,
        closingBehavior: "fireIfNonEmpty",
        windowFn: { kind: "fixed" },
      });
      assertThat(grouped(moved)).satisfies((_values, elements) => {
        expect(shown(elements)).toEqual(['["a",[1,2]] in 0:10 at 9', '["a",[3]] in 10:20 at 19']);
      });
    },
  );

  eachMode("WindowTest.testTimestampCombinerDefault, EndOfWindow: the window's last instant", (p) => {
    const input = p.createTimestamped<Pair>([at(0, ["k", 1]), at(10, ["k", 2])]);
    const windows = {
      default: windowInto(fixedWindows(100)),
      "end of window": windowInto(fixedWindows(100), { timestampCombiner: "endOfWindow" }),
    };
    for (const [name, window] of Object.entries(windows)) {
      const result = grouped(input.apply(`Into ${name}`, window), name);
      assertThat(result).satisfies((_values, elements) =>
        expect(shown(elements)).toEqual(['["k",[1,2]] in 0:100 at 99']),
      );
    }
  });

  eachMode("WindowTest.testMergingCustomWindows(+Keyed), test_custom_merging_window, test_custom_window_type", (p) => {
    const input = p.createTimestamped<Pair>([
      at(0, ["big", 100]),
      at(10, ["big", 5]),
      at(200, ["big", 7]),
      at(10, ["small", 5]),
      at(14, ["small", 3]),
      at(17, ["small", 4]),
    ]);
    assertThat(grouped(input.apply(windowInto(stays)))).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual([
        '["big",[5,100]] in stay 0-100 at 99',
        '["big",[7]] in stay 200-207 at 206',
        '["small",[3,5]] in stay 10-17 at 16',
        '["small",[4]] in stay 17-21 at 20',
      ]);
    });
  });

  eachMode("fn_runner.test_sliding_windows, test_windowing: maximum and groups over sliding and fixed windows", (p) => {
    const input = p.createTimestamped(
      "Numbers",
      [1, 2, 5, 6, 7].map((n) => at(n, n)),
    );
    const greatest = input
      .apply(windowInto(slidingWindows({ size: 10, every: 5 })))
      .apply("Max", combineGlobally(maxFn(), { withDefault: false }));
    assertThat(greatest).satisfies((_values, elements) => {
      expect(elements.map(({ value, window }) => `${window.id} ${value}`).toSorted()).toEqual([
        "-5:5 2",
        "0:10 7",
        "5:15 7",
      ]);
    });
    const groups = grouped(input.map("Pair", (n): Pair => ["k", n]).apply("Fixed", windowInto(fixedWindows(5))));
    assertThat(groups.values("Values")).containsInAnyOrder([
      [1, 2],
      [5, 6, 7],
    ]);
  });
});

describe("GroupByKey in windows", () => {
  eachMode("GroupByKeyTest.testGroupByKeyMultipleWindows: sliding 5 ms every 3 ms", (p) => {
    const result = grouped(
      p
        .createTimestamped<Pair>([at(1, ["foo", 1]), at(4, ["foo", 4]), at(3, ["bar", 3])])
        .apply(windowInto(slidingWindows({ size: 5, every: 3 }))),
    );
    assertThat(result).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual([
        '["bar",[3]] in 0:5 at 4',
        '["bar",[3]] in 3:8 at 7',
        '["foo",[1,4]] in 0:5 at 4',
        '["foo",[1]] in -3:2 at 1',
        '["foo",[4]] in 3:8 at 7',
      ]);
    });
  });

  eachMode("WindowTest: a grouping after merged windows does not merge them again", (p) => {
    const first = grouped(
      p.createTimestamped<Pair>([at(1, ["a", 1]), at(5, ["a", 2]), at(8, ["b", 3])]).apply(windowInto(sessions(10))),
      "First",
    );
    const second = grouped(
      first.map("Under one key", ([, values]): Pair => ["all", values.length]),
      "Second",
    );
    assertThat(second).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual(['["all",[1]] in 8:18 at 17', '["all",[2]] in 1:15 at 14']);
    });
  });
});

describe("Timestamps", () => {
  eachMode("ParDoTest.testParDoOutputWithTimestamp, TaggedOutputWithTimestamp: seen downstream", (p) => {
    const results = p.createTimestamped([at(0, 3), at(0, 42), at(0, 6)]).parDo({
      outputs: { main: output<number>(), other: output<number>() },
      process(n, { output: put, outputTo }) {
        put(n, n);
        outputTo("other", n, n + 1);
      },
    });
    const reified = (input: PCollection<number>, name: string): PCollection<readonly [number, number]> =>
      input.map(name, (n, { timestamp }) => [n, timestamp] as const);
    assertThat(reified(results, "Main")).containsInAnyOrder([
      [3, 3],
      [42, 42],
      [6, 6],
    ]);
    assertThat(reified(results.outputs.other, "Other")).containsInAnyOrder([
      [3, 4],
      [42, 43],
      [6, 7],
    ]);
  });

  eachMode("ParDoTest.testParDoShiftTimestampUnlimited: an infinite skew allows any timestamp", (p) => {
    const results = p.createTimestamped([at(0, 1), at(100, 2)]).parDo({
      allowedTimestampSkew: Infinity,
      outputs: { main: output<number>() },
      process: (n, { output: put }) => put(n, -1_000_000),
    });
    assertThat(results).satisfies((_values, elements) => {
      for (const { timestamp } of elements) expect(timestamp).toBe(-1_000_000);
    });
  });

  eachMode("WithTimestampsTest: by a function; backwards within the skew", (p) => {
    const forward = p.create(["1234", "0", "60000"]).withTimestamps(Number);
    assertThat(forward.map("Forward", (text, { timestamp }) => Number(text) - timestamp)).containsInAnyOrder([0, 0, 0]);
    const back = forward.withTimestamps("Back", (text) => Number(text) - 1000, { allowedTimestampSkew: 1000 });
    assertThat(back.map("Backward", (text, { timestamp }) => Number(text) - timestamp)).containsInAnyOrder([
      1000, 1000, 1000,
    ]);
  });

  test("WithTimestampsTest.withTimestampsBackwardsInTimeShouldThrow: beyond the skew", async () => {
    const error = await failureOf((p) => p.createTimestamped([at(5000, "a")]).withTimestamps("Back", () => 4999));
    expect(error).toMatchObject({ code: "TIMESTAMP_SKEW", context: { step: "Back" } });
  });

  test("WithTimestampsTest.withTimestampsWithNullTimestampShouldThrow: at construction, and for an element", async () => {
    const none = null as unknown as (element: string) => number;
    expect(await failureOf((p) => p.create(["a"]).withTimestamps(none))).toMatchObject({ code: "TRANSFORM_INVALID" });
    const nothing = (): number => null as unknown as number;
    expect(await failureOf((p) => p.create(["a"]).withTimestamps(nothing))).toMatchObject({
      code: "TIMESTAMP_INVALID",
    });
  });

  eachMode("ReifyTimestampsTest: timestamps moved into values, and back", (p) => {
    const into = p
      .createTimestamped<Pair>([at(1, ["foo", 0]), at(2, ["foo", 1]), at(3, ["bar", 2])])
      .map("Into values", ([key, n], { timestamp }): KV<string, { n: number; timestamp: number }> => [
        key,
        { n, timestamp },
      ]);
    assertThat(into).containsInAnyOrder([
      ["foo", { n: 0, timestamp: 1 }],
      ["foo", { n: 1, timestamp: 2 }],
      ["bar", { n: 2, timestamp: 3 }],
    ]);
    const back = into.withTimestamps("Back", ([, { timestamp }]) => timestamp).mapValues("Values", ({ n }) => n);
    assertThat(back).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual([
        '["bar",2] in global at 3',
        '["foo",0] in global at 1',
        '["foo",1] in global at 2',
      ]);
    });
  });
});

describe("Reshuffle", () => {
  eachMode("ReshuffleTest.testJustReshuffle: the same elements in the same window", (p) => {
    const pairs: Pair[] = [
      ["k1", 3],
      ["k5", 2 ** 31 - 1],
      ["k1", 3],
      ["k2", -33],
    ];
    const result = p.create(pairs).reshuffle();
    assertThat(result).inWindow(GLOBAL_WINDOW).containsInAnyOrder(pairs);
    expect(result.windowing.windowFn.kind).toBe("global");
  });

  eachMode("ReshuffleTest.testReshuffleAfterFixedWindows, AfterSlidingWindows, AfterSessions: strategy kept", (p) => {
    const input = p.createTimestamped<Pair>([at(1, ["a", 1]), at(7, ["a", 2])]);
    for (const windows of [fixedWindows(10), slidingWindows({ size: 10, every: 5 }), sessions(5)]) {
      const before = input.apply(
        `Into ${windows.name}`,
        windowInto(windows, { trigger: afterWatermark({ late: afterCount(3) }), allowedLateness: 7 }),
      );
      const after = before.reshuffle(`Reshuffle ${windows.name}`);
      expect(after.windowing).toEqual(before.windowing);
      assertThat(after).satisfies((_values, elements) => {
        const windowsOf = (at: number): string[] => windows.assign(at, undefined, []).map(({ id }) => id);
        expect(shown(elements)).toEqual(
          byText([
            ...windowsOf(1).map((id) => `["a",1] in ${id} at 1`),
            ...windowsOf(7).map((id) => `["a",2] in ${id} at 7`),
          ]),
        );
      });
    }
  });

  eachMode("ReshuffleTest.testReshuffleAfterSessionsAndGroupByKey, testReshufflePreservesMetadata: panes too", (p) => {
    const before = grouped(
      p.createTimestamped<Pair>([at(1, ["a", 1]), at(4, ["a", 2]), at(90, ["a", 3])]).apply(windowInto(sessions(10))),
    );
    const after = before.reshuffle();
    assertThat(after).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual(['["a",[1,2]] in 1:14 at 13', '["a",[3]] in 90:100 at 99']);
      for (const { pane } of elements) {
        expect(pane).toMatchObject({ timing: "ON_TIME", index: 0, nonSpeculativeIndex: 0, isFirst: true });
      }
    });
  });

  eachMode("ReshuffleTest.testReshuffleWithTimestampsStreaming: timestamps and windows, late elements too", (p) => {
    const kept = p
      .apply(
        testStream<string>()
          .advanceWatermarkTo(0)
          .addElements(at(0, "foo"), at(33, "foo"))
          .addElements(at(1, "bar"))
          .advanceWatermarkTo(50)
          .addElements(at(2, "late"))
          .advanceWatermarkToInfinity(),
      )
      .apply(windowInto(fixedWindows(10)))
      .reshuffle();
    assertThat(kept).satisfies((_values, elements) => {
      expect(shown(elements)).toEqual([
        '"bar" in 0:10 at 1',
        '"foo" in 0:10 at 0',
        '"foo" in 30:40 at 33',
        '"late" in 0:10 at 2',
      ]);
    });
  });
});
