import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTidemarkError } from "../base/errors.ts";
import { END_OF_GLOBAL_WINDOW, hours, MAX_TIMESTAMP, MIN_TIMESTAMP, seconds } from "../model/time.ts";
import type { Timestamp } from "../model/time.ts";
import { GLOBAL_WINDOW, GLOBAL_WINDOWS, IntervalWindow } from "../model/window.ts";
import type { WindowFn } from "../model/window-fn.ts";
import {
  customWindows,
  fixedWindows,
  globalWindows,
  mergeOverlapping,
  sessions,
  slidingWindows,
  type CustomWindowsOptions,
} from "./window-fns.ts";

const SEED = 20261123;

type Bounds = [start: number, end: number];

function assigned(fn: WindowFn<IntervalWindow>, timestamp: Timestamp): Bounds[] {
  return fn.assign(timestamp, undefined, GLOBAL_WINDOWS).map(bounds);
}

function bounds({ start, end }: IntervalWindow): Bounds {
  return [start, end];
}

/** Every window of the period that holds `timestamp`, newest first, found by trying starts one by one. */
function windowsByTrying(size: number, period: number, offset: number, timestamp: Timestamp): Bounds[] {
  const found: Bounds[] = [];
  for (let start = timestamp; start > timestamp - size; start--) {
    if ((start - offset) % period === 0) found.push([start, start + size]);
  }
  return found;
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error);
  }
}

describe("global windows", () => {
  test("every element is in the one window, in one shared array", () => {
    const fn = globalWindows();
    expect(fn.assign(MIN_TIMESTAMP, undefined, [])).toBe(GLOBAL_WINDOWS);
    expect(fn.assign(MAX_TIMESTAMP, undefined, [])).toBe(GLOBAL_WINDOWS);
    expect(fn.sideInputWindow(new IntervalWindow(0, 10))).toBe(GLOBAL_WINDOW);
    expect(fn.fromData(fn.toData(GLOBAL_WINDOW))).toBe(GLOBAL_WINDOW);
  });
});

describe("fixed windows", () => {
  test.each<[timestamp: number, window: Bounds]>([
    [0, [0, 5000]],
    [-0, [0, 5000]],
    [4999, [0, 5000]],
    [5000, [5000, 10_000]],
    [-1, [-5000, 0]],
    [-5000, [-5000, 0]],
    [-5001, [-10_000, -5000]],
  ])("F1 windows of 5 s: %d lies in %j", (timestamp, window) => {
    expect(assigned(fixedWindows(seconds(5)), timestamp)).toEqual([window]);
  });

  test.each<[offset: number, window: Bounds]>([
    [0, [0, 10]],
    [3, [-7, 3]],
    [13, [-7, 3]],
    [-7, [-7, 3]],
    [-17, [-7, 3]],
    [10, [0, 10]],
  ])("an offset of %d counts modulo the size: windows of 10, 2 lies in %j", (offset, window) => {
    expect(assigned(fixedWindows({ size: 10, offset }), 2)).toEqual([window]);
  });

  test("windows have whole bounds around timestamps that have fractions", () => {
    const fn = fixedWindows({ size: 10, offset: 3 });
    expect(assigned(fn, 12.999)).toEqual([[3, 13]]);
    expect(assigned(fn, -1e-20)).toEqual([[-7, 3]]);
    expect(assigned(fixedWindows(10), -1e-20)).toEqual([[-10, 0]]);
  });

  test("equal text, equal function", () => {
    expect(fixedWindows(10).name).toBe(fixedWindows({ size: 10, offset: -20 }).name);
    expect(fixedWindows({ size: 10, offset: 3 }).name).toBe(fixedWindows({ size: 10, offset: 13 }).name);
    expect(fixedWindows({ size: 10, offset: 3 }).name).not.toBe(fixedWindows(10).name);
    expect(fixedWindows(10).name).not.toBe(slidingWindows({ size: 10, every: 10 }).name);
  });
});

describe("sliding windows", () => {
  test("F1 windows of 10 every 4: from the newest down, and the oldest is left where it ends", () => {
    const fn = slidingWindows({ size: 10, every: 4 });
    const windows = (...starts: number[]): Bounds[] => starts.map((start) => [start, start + 10]);
    expect(assigned(fn, 8)).toEqual(windows(8, 4, 0));
    expect(assigned(fn, 9)).toEqual(windows(8, 4, 0));
    expect(assigned(fn, 10)).toEqual(windows(8, 4));
    expect(assigned(fn, 11)).toEqual(windows(8, 4));
    expect(assigned(fn, 12)).toEqual(windows(12, 8, 4));
    expect(assigned(fn, -1)).toEqual(windows(-4, -8));
  });

  test.each([
    { size: seconds(60), every: seconds(5), timestamp: 1_000_003, windows: 12 },
    { size: seconds(60), every: seconds(7), timestamp: seconds(63), windows: 9 },
    { size: seconds(60), every: seconds(7), timestamp: seconds(67), windows: 8 },
    { size: seconds(1), every: 333, timestamp: 0, windows: 4 },
    { size: seconds(1), every: 333, timestamp: 1, windows: 3 },
    { size: hours(1), every: seconds(1), timestamp: -1, windows: 3600 },
  ])("F1 $size ms every $every ms: $timestamp lies in $windows windows", ({ size, every, timestamp, windows }) => {
    const bounds = assigned(slidingWindows({ size, every }), timestamp);
    expect(bounds).toHaveLength(windows);
    expect(bounds).toEqual(windowsByTrying(size, every, 0, timestamp));
  });

  test("a period above the size leaves gaps, and an element in a gap is in no window", () => {
    const fn = slidingWindows({ size: 2, every: 5 });
    expect(assigned(fn, 5)).toEqual([[5, 7]]);
    expect(assigned(fn, 6)).toEqual([[5, 7]]);
    expect(assigned(fn, 7)).toEqual([]);
    expect(assigned(fn, 9)).toEqual([]);
    expect(assigned(fn, 10)).toEqual([[10, 12]]);
    expect(assigned(fn, -1)).toEqual([]);
  });

  test("F2 60 s every 5 s: one array for each slot of 5 s, and the same window objects in different slots", () => {
    const fn = slidingWindows({ size: seconds(60), every: seconds(5) });
    const of = (timestamp: number): readonly IntervalWindow[] => fn.assign(timestamp, undefined, GLOBAL_WINDOWS);
    expect(of(10_000)).toBe(of(14_999));
    expect(of(15_000)).not.toBe(of(14_999));
    expect(of(15_000)[1]).toBe(of(10_000)[0]);
  });
});

describe("fixed and sliding windows", () => {
  const functions = fc
    .record({
      size: fc.integer({ min: 1, max: 60 }),
      every: fc.integer({ min: 1, max: 80 }),
      offset: fc.integer({ min: -200, max: 200 }),
      fixed: fc.boolean(),
    })
    .map(({ size, every, offset, fixed }) =>
      fixed
        ? { fn: fixedWindows({ size, offset }), size, every: size, offset }
        : { fn: slidingWindows({ size, every, offset }), size, every, offset },
    );
  const timestamps = fc.oneof(
    fc.integer({ min: -300, max: 300 }),
    fc
      .constantFrom(-(2 ** 40), 2 ** 40, -(2 ** 52), 2 ** 52, -(2 ** 52) - 1)
      .chain((near) => fc.integer({ min: -100, max: 100 }).map((by) => near + by)),
  );

  test("F1 the windows are those with starts at the offset modulo the period that hold the timestamp", () => {
    fc.assert(
      fc.property(
        functions,
        fc.array(timestamps, { minLength: 1, maxLength: 20 }),
        ({ fn, size, every, offset }, times) => {
          for (const timestamp of times) {
            expect(assigned(fn, timestamp)).toEqual(windowsByTrying(size, every, offset, timestamp));
          }
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("F2 equal windows are one object, and equal lists of windows one array", () => {
    fc.assert(
      fc.property(functions, fc.array(timestamps, { minLength: 2, maxLength: 20 }), ({ fn }, times) => {
        const windows = new Map<string, IntervalWindow>();
        const arrays = new Map<string, readonly IntervalWindow[]>();
        for (const timestamp of times) {
          const array = fn.assign(timestamp, undefined, GLOBAL_WINDOWS);
          for (const window of array) {
            expect(windows.get(window.id) ?? window).toBe(window);
            windows.set(window.id, window);
          }
          const ids = array.map(({ id }) => id).join();
          // Far out each instant has its own array, and all gaps have different ones.
          if (ids === "" || Math.abs(timestamp) > 2 ** 52) continue;
          expect(arrays.get(ids) ?? array).toBe(array);
          arrays.set(ids, array);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("F2 the caches are bounded: what was thrown away comes back equal", () => {
    const fn = slidingWindows({ size: 20, every: 10 });
    const first = fn.assign(0, undefined, GLOBAL_WINDOWS);
    for (let slot = 1; slot <= 10_000; slot++) fn.assign(slot * 10, undefined, GLOBAL_WINDOWS);
    const again = fn.assign(0, undefined, GLOBAL_WINDOWS);
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });

  test("windows survive being written down", () => {
    const fn = fixedWindows(10);
    const [window] = fn.assign(-1, undefined, GLOBAL_WINDOWS) as [IntervalWindow];
    expect(fn.fromData(JSON.parse(JSON.stringify(fn.toData(window))))).toEqual(window);
  });
});

describe("the ends of time", () => {
  const extremes = fc
    .tuple(
      fc.constantFrom(MIN_TIMESTAMP, -(2 ** 53), -(2 ** 52), 2 ** 52, 2 ** 53, END_OF_GLOBAL_WINDOW, MAX_TIMESTAMP),
      fc.integer({ min: -50, max: 50 }),
    )
    .map(([near, by]) => Math.min(Math.max(near + by, MIN_TIMESTAMP), MAX_TIMESTAMP));
  const offsets = fc.integer({ min: -50, max: 50 });
  const durations = fc.oneof(
    fc.integer({ min: 2, max: 20 }),
    fc.constantFrom(333, 1000, 5000, 7001, hours(24), hours(25) + 1, 2 ** 52),
  );

  /** The newest window, and those `every` before it, in exact arithmetic. Only the bounds are rounded. */
  function exactWindows(size: number, every: number, offset: number, timestamp: Timestamp): Bounds[] {
    const at = BigInt(Math.min(timestamp, END_OF_GLOBAL_WINDOW - 2));
    const [length, period] = [BigInt(size), BigInt(every)];
    const into = (((at - BigInt(offset)) % period) + period) % period;
    const found: Bounds[] = [];
    for (let start = at - into; start > at - length; start -= period) {
      found.push([Number(start), Math.min(Number(start + length), END_OF_GLOBAL_WINDOW)]);
    }
    return found;
  }

  function checkHolds(window: IntervalWindow, timestamp: Timestamp): void {
    // Equal where a window is so short that both its bounds are nearest to one double.
    expect(window.start).toBeLessThanOrEqual(window.end);
    expect(window.start).toBeLessThanOrEqual(timestamp);
    expect(window.maxTimestamp).toBeGreaterThanOrEqual(Math.min(timestamp, END_OF_GLOBAL_WINDOW));
    expect(window.maxTimestamp).toBeLessThanOrEqual(END_OF_GLOBAL_WINDOW);
  }

  test("F3 F4 a window holds its timestamp, and ends before the watermark does", () => {
    fc.assert(
      fc.property(extremes, durations, offsets, (timestamp, size, offset) => {
        const [window, ...more] = fixedWindows({ size, offset }).assign(timestamp, undefined, GLOBAL_WINDOWS);
        expect([bounds(window as IntervalWindow)]).toEqual(exactWindows(size, size, offset, timestamp));
        expect(more).toEqual([]);
        checkHolds(window as IntervalWindow, timestamp);
        const [session] = sessions(size).assign(timestamp, undefined, GLOBAL_WINDOWS);
        checkHolds(session as IntervalWindow, timestamp);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("F3 F4 sliding windows differ from each other and hold their timestamp, whatever came before", () => {
    const periods = fc.integer({ min: 3, max: 20 });
    fc.assert(
      fc.property(fc.array(extremes, { minLength: 1 }), periods, fc.nat(100), offsets, (times, every, more, offset) => {
        const size = every + more;
        const fn = slidingWindows({ size, every, offset });
        for (const timestamp of times) {
          const windows = fn.assign(timestamp, undefined, GLOBAL_WINDOWS);
          expect(windows.map(bounds)).toEqual(exactWindows(size, every, offset, timestamp));
          for (const window of windows) checkHolds(window, timestamp);
          expect(new Set(windows.map(({ id }) => id)).size).toBe(windows.length);
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test.each([[1], [2]])("F4 windows every %d ms differ from each other where their starts round together", (every) => {
    const windows = slidingWindows({ size: 9, every, offset: 1 }).assign(MIN_TIMESTAMP, undefined, GLOBAL_WINDOWS);
    expect(windows.length).toBeGreaterThan(1);
    expect(new Set(windows.map(({ id }) => id)).size).toBe(windows.length);
  });

  test("F2 elements without a timestamp of their own share their windows", () => {
    const fn = slidingWindows({ size: seconds(60), every: seconds(5) });
    const first = fn.assign(MIN_TIMESTAMP, undefined, GLOBAL_WINDOWS);
    expect(first).toHaveLength(12);
    fn.assign(0, undefined, GLOBAL_WINDOWS);
    expect(fn.assign(MIN_TIMESTAMP, undefined, GLOBAL_WINDOWS)).toBe(first);
  });

  test("F3 the last window is cut short, and what is later lies in it too", () => {
    const fn = fixedWindows(hours(1));
    const [last] = fn.assign(END_OF_GLOBAL_WINDOW, undefined, GLOBAL_WINDOWS) as [IntervalWindow];
    expect(last.end - last.start).toBeLessThan(hours(1));
    expect(fn.assign(MAX_TIMESTAMP, undefined, GLOBAL_WINDOWS)).toEqual([last]);
  });
});

describe("side input windows", () => {
  const main = (start: number, end: number): IntervalWindow => new IntervalWindow(start, end);

  test("fixed: the window of the main window's last instant", () => {
    const fn = fixedWindows(60);
    expect(bounds(fn.sideInputWindow(main(50, 60)))).toEqual([0, 60]);
    expect(bounds(fn.sideInputWindow(main(55, 65)))).toEqual([60, 120]);
  });

  test("sliding: the earliest window that holds the main window's last instant", () => {
    const fn = slidingWindows({ size: 10, every: 4 });
    expect(bounds(fn.sideInputWindow(main(0, 10)))).toEqual([0, 10]);
    expect(bounds(fn.sideInputWindow(main(0, 11)))).toEqual([4, 14]);
    expect(bounds(fn.sideInputWindow(main(-10, 0)))).toEqual([-8, 2]);
  });

  test("sliding with gaps: in a gap, the next window", () => {
    const fn = slidingWindows({ size: 2, every: 5 });
    expect(bounds(fn.sideInputWindow(main(0, 7)))).toEqual([5, 7]);
    expect(bounds(fn.sideInputWindow(main(0, 8)))).toEqual([10, 12]);
  });

  test("the global window has none among windows that end", () => {
    expect(codeOf(() => fixedWindows(10).sideInputWindow(GLOBAL_WINDOW))).toBe("SIDE_INPUT_WINDOW_UNKNOWN");
    expect(codeOf(() => slidingWindows({ size: 10, every: 5 }).sideInputWindow(GLOBAL_WINDOW))).toBe(
      "SIDE_INPUT_WINDOW_UNKNOWN",
    );
  });

  test("merging windows have none", () => {
    expect(codeOf(() => sessions(10).sideInputWindow(main(0, 10)))).toBe("SIDE_INPUT_MERGING_WINDOWS");
  });
});

describe("sessions", () => {
  const windows = (...list: Bounds[]): IntervalWindow[] => list.map(([start, end]) => new IntervalWindow(start, end));
  const merged = (...list: Bounds[]): { from: Bounds[]; into: Bounds }[] =>
    mergeOverlapping(windows(...list)).map(({ from, into }) => ({ from: from.map(bounds), into: bounds(into) }));

  test("an element begins a window of one gap", () => {
    expect(assigned(sessions(10), -3)).toEqual([[-3, 7]]);
    expect(assigned(sessions({ gap: 10 }), 0)).toEqual([[0, 10]]);
  });

  test("windows that overlap merge; windows that only touch do not", () => {
    expect(merged([0, 10], [9, 19])).toEqual([{ from: [[0, 10], [9, 19]], into: [0, 19] }]); // prettier-ignore
    expect(merged([0, 10], [10, 20])).toEqual([]);
  });

  test("a window that bridges two others makes them one", () => {
    expect(merged([20, 30], [0, 10], [8, 22])).toEqual([{ from: [[0, 10], [8, 22], [20, 30]], into: [0, 30] }]); // prettier-ignore
  });

  test("a window inside another becomes that one, the very object", () => {
    const [outer, inner] = windows([0, 30], [5, 15]) as [IntervalWindow, IntervalWindow];
    expect(mergeOverlapping([inner, outer])[0]?.into).toBe(outer);
  });

  test("merging is the naive union of intervals", () => {
    const lists = fc.uniqueArray(
      fc.record({ start: fc.integer({ min: -60, max: 60 }), length: fc.integer({ min: 1, max: 15 }) }),
      { maxLength: 15, selector: ({ start, length }) => `${start}:${length}` },
    );
    fc.assert(
      fc.property(lists, (list) => {
        const before = list.map(({ start, length }): Bounds => [start, start + length]);
        const merges = merged(...before);
        const gone = new Set(merges.flatMap(({ from }) => from.map(String)));
        const left = [...before.filter((window) => !gone.has(String(window))), ...merges.map(({ into }) => into)];
        expect(left.toSorted(byStart)).toEqual(naiveUnion(before));
        expect(merges.every(({ from }) => from.length > 1)).toBe(true);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  /** Joins two intervals that share an instant, again and again until there are none. */
  function naiveUnion(list: readonly Bounds[]): Bounds[] {
    const all = list.map((window): Bounds => [...window]);
    for (let i = 0; i < all.length; i++) {
      for (let j = i + 1; j < all.length; j++) {
        const [a, b] = [all[i] as Bounds, all[j] as Bounds];
        if (a[0] < b[1] && b[0] < a[1]) {
          all.splice(j, 1);
          all[i] = [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
          return naiveUnion(all);
        }
      }
    }
    return all.toSorted(byStart);
  }

  function byStart(a: Bounds, b: Bounds): number {
    return a[0] - b[0];
  }
});

describe("custom windows", () => {
  const odd: CustomWindowsOptions<IntervalWindow> = {
    name: "odd",
    assign: (timestamp) => (timestamp % 2 === 0 ? [] : [new IntervalWindow(timestamp, timestamp + 1)]),
    toData: ({ start }) => start,
    fromData: (data) => new IntervalWindow(data as number, (data as number) + 1),
  };

  test("they do as they are told", () => {
    const fn = customWindows(odd);
    expect(fn).toMatchObject({ name: "odd", kind: "custom", byTimestampOnly: false });
    expect(fn.merge).toBeUndefined();
    expect(assigned(fn, 3)).toEqual([[3, 4]]);
    expect(fn.fromData(fn.toData(new IntervalWindow(3, 4)))).toEqual(new IntervalWindow(3, 4));
    expect(customWindows({ ...odd, byTimestampOnly: true }).byTimestampOnly).toBe(true);
  });

  test("the side input window is the last one of the main window's last instant, unless they say otherwise", () => {
    const main = new IntervalWindow(0, 4);
    expect(bounds(customWindows(odd).sideInputWindow(main))).toEqual([3, 4]);
    const two = { ...odd, assign: () => [new IntervalWindow(2, 9), new IntervalWindow(1, 8)] };
    expect(bounds(customWindows(two).sideInputWindow(main))).toEqual([1, 8]);
    const own = customWindows({ ...odd, sideInputWindow: () => new IntervalWindow(7, 8) });
    expect(bounds(own.sideInputWindow(main))).toEqual([7, 8]);
  });

  test("a side input without a window is refused", () => {
    expect(codeOf(() => customWindows(odd).sideInputWindow(new IntervalWindow(0, 3)))).toBe(
      "SIDE_INPUT_WINDOW_UNKNOWN",
    );
    const merging = customWindows({ ...odd, merge: () => [] });
    expect(codeOf(() => merging.sideInputWindow(new IntervalWindow(0, 4)))).toBe("SIDE_INPUT_MERGING_WINDOWS");
  });

  test.each<[what: string, options: unknown]>([
    ["no options", undefined],
    ["no name", { ...odd, name: "" }],
    ["no assign", { ...odd, assign: undefined }],
    ["no toData", { ...odd, toData: undefined }],
    ["no fromData", { ...odd, fromData: 1 }],
    ["a merge that is no function", { ...odd, merge: true }],
    ["a sideInputWindow that is no function", { ...odd, sideInputWindow: {} }],
    ["a maximumLookback below 0", { ...odd, maximumLookback: -1 }],
  ])("%s: refused", (_, options) => {
    expect(codeOf(() => customWindows(options as CustomWindowsOptions<IntervalWindow>))).toBe("WINDOW_INVALID");
  });
});

describe("arguments that make no sense", () => {
  const durations: readonly unknown[] = [
    0,
    -1,
    0.5,
    Number.NaN,
    Infinity,
    2 ** 52 + 1,
    1e300,
    "5",
    null,
    undefined,
    5n,
  ];

  test.each(durations.map((value) => [value]))("a duration of %s is refused", (value) => {
    const duration = value as number;
    expect(codeOf(() => fixedWindows(duration))).toBe("WINDOW_INVALID");
    expect(codeOf(() => fixedWindows({ size: duration }))).toBe("WINDOW_INVALID");
    expect(codeOf(() => slidingWindows({ size: duration, every: 1 }))).toBe("WINDOW_INVALID");
    expect(codeOf(() => slidingWindows({ size: 1, every: duration }))).toBe("WINDOW_INVALID");
    expect(codeOf(() => sessions(duration))).toBe("WINDOW_INVALID");
    expect(codeOf(() => sessions({ gap: duration }))).toBe("WINDOW_INVALID");
  });

  test.each([[0.5], [Number.NaN], [Infinity], [2 ** 52 + 1], ["5"], [null]])("an offset of %s is refused", (value) => {
    const offset = value as number;
    expect(codeOf(() => fixedWindows({ size: 10, offset }))).toBe("WINDOW_INVALID");
    expect(codeOf(() => slidingWindows({ size: 10, every: 5, offset }))).toBe("WINDOW_INVALID");
  });

  test("numbers in place of named durations are refused", () => {
    expect(codeOf(() => slidingWindows(60 as never))).toBe("WINDOW_INVALID");
  });

  test("the error says what came, why it is wrong, and how to write it", () => {
    expect(() => fixedWindows(-1)).toThrow(/got the size -1\n.*from 1 to 2\^52\n.*seconds\(60\)/);
  });
});
