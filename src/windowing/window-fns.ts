/**
 * The window functions of the model.
 *
 * F1 An element lies in every window that it is assigned; `[start, end)` with starts at `offset` modulo the period, also below zero.
 * F2 One WindowFn hands out the same array and the same window objects for equal windows, as long as they are in its cache,
 *    so that steps downstream recognise them by identity.
 */
import { TidemarkError } from "../base/errors.ts";
import { clampTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from "../model/time.ts";
import type { Merge, WindowFn } from "../model/window-fn.ts";
import { GLOBAL_WINDOW, GLOBAL_WINDOWS, type GlobalWindow, IntervalWindow, type Window } from "../model/window.ts";

/** Windows kept to be handed out again. */
const CACHED_MAX = 4096;

function checkDuration(fn: string, name: string, value: unknown): asserts value is number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0 && Number.isInteger(value)) return;
  throw new TidemarkError("WINDOW_INVALID", {
    what: `${fn} got the ${name} ${String(value)}`,
    why: `a ${name} is a whole number of milliseconds above 0`,
    fix: `write for example seconds(60)`,
  });
}

function checkOffset(fn: string, value: unknown): asserts value is number {
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
  throw new TidemarkError("WINDOW_INVALID", {
    what: `${fn} got the offset ${String(value)}`,
    why: "an offset is a whole number of milliseconds",
    fix: "leave it out, or write for example hours(9)",
  });
}

/** `a` modulo `n`, from 0 up to but without `n`, also for negative `a`. */
function floorMod(a: number, n: number): number {
  const rest = a % n;
  return rest < 0 ? rest + n : rest;
}

const intervalData = {
  toData: (window: IntervalWindow): unknown => [window.start, window.end],
  fromData: (data: unknown): IntervalWindow => {
    const [start, end] = data as [number, number];
    return new IntervalWindow(start, end);
  },
};

/** One window for all of time: the windowing that every collection begins with. */
export function globalWindows(): WindowFn<GlobalWindow> {
  return GLOBAL_WINDOWS_FN;
}

const GLOBAL_WINDOWS_FN: WindowFn<GlobalWindow> = Object.freeze<WindowFn<GlobalWindow>>({
  name: "global",
  kind: "global",
  byTimestampOnly: true,
  assign: () => GLOBAL_WINDOWS as readonly GlobalWindow[],
  sideInputWindow: () => GLOBAL_WINDOW,
  toData: () => null,
  fromData: () => GLOBAL_WINDOW,
});

/** Windows of one size, one after the other: `[offset + n * size, offset + (n + 1) * size)`. All in milliseconds. */
export interface FixedWindowsOptions {
  readonly size: number;
  /** Default 0. */
  readonly offset?: number;
}

/**
 * Windows of one size without gaps or overlaps.
 *
 * @example
 * lines.apply(windowInto(fixedWindows(seconds(5))));
 */
export function fixedWindows(size: number | FixedWindowsOptions): WindowFn<IntervalWindow> {
  const options = typeof size === "number" ? { size } : size;
  const offset = options.offset ?? 0;
  checkDuration("fixedWindows", "size", options.size);
  checkOffset("fixedWindows", offset);
  return new PeriodicWindowFn("fixed", options.size, options.size, floorMod(offset, options.size));
}

/** Windows of `size` milliseconds that begin every `every` milliseconds, at `offset` (default 0) modulo `every`. */
export interface SlidingWindowsOptions {
  readonly size: number;
  readonly every: number;
  readonly offset?: number;
}

/**
 * Windows that overlap: an element lies in up to `ceil(size / every)` of them. With `every` above `size` there are gaps,
 * and an element in a gap is in no window.
 *
 * @example
 * tags.apply(windowInto(slidingWindows({ size: seconds(60), every: seconds(5) })));
 */
export function slidingWindows(options: SlidingWindowsOptions): WindowFn<IntervalWindow> {
  const offset = options.offset ?? 0;
  checkDuration("slidingWindows", "size", options.size);
  checkDuration("slidingWindows", "period", options.every);
  checkOffset("slidingWindows", offset);
  return new PeriodicWindowFn("sliding", options.size, options.every, floorMod(offset, options.every));
}

/** Fixed and sliding windows. */
class PeriodicWindowFn implements WindowFn<IntervalWindow> {
  readonly name: string;
  readonly kind: "fixed" | "sliding";
  readonly byTimestampOnly = true;
  readonly toData: (window: IntervalWindow) => unknown = intervalData.toData;
  readonly fromData: (data: unknown) => IntervalWindow = intervalData.fromData;
  readonly #size: number;
  readonly #period: number;
  readonly #offset: number;
  /** Where in its period an element leaves the oldest of its windows: there its array changes a second time. */
  readonly #cut: number;
  readonly #windows = new Map<Timestamp, IntervalWindow>();
  readonly #arrays = new Map<Timestamp, readonly IntervalWindow[]>();
  #lastFrom = Infinity;
  #lastTo = -Infinity;
  #last: readonly IntervalWindow[] = [];

  constructor(kind: "fixed" | "sliding", size: number, period: number, offset: number) {
    this.kind = kind;
    this.#size = size;
    this.#period = period;
    this.#offset = offset;
    this.#cut = size % period;
    const shift = offset === 0 ? "" : `, offset ${offset} ms`;
    this.name = kind === "fixed" ? `fixed(${size} ms${shift})` : `sliding(${size} ms every ${period} ms${shift})`;
  }

  assign(timestamp: Timestamp): readonly IntervalWindow[] {
    if (timestamp >= this.#lastFrom && timestamp < this.#lastTo) return this.#last;
    return this.#assign(timestamp);
  }

  #assign(timestamp: Timestamp): readonly IntervalWindow[] {
    const into = floorMod(timestamp - this.#offset, this.#period);
    const start = timestamp - into;
    // Within a period all elements lie in the same windows but for the oldest, which ends at `cut`.
    const early = into < this.#cut;
    const from = early ? start : start + this.#cut;
    let windows = this.#arrays.get(from);
    if (windows === undefined) {
      windows = this.#make(timestamp, start);
      if (this.#arrays.size >= CACHED_MAX) this.#arrays.clear();
      this.#arrays.set(from, windows);
    }
    this.#last = windows;
    this.#lastFrom = from;
    this.#lastTo = early ? start + this.#cut : start + this.#period;
    return windows;
  }

  /** From the newest window down. */
  #make(timestamp: Timestamp, newest: Timestamp): readonly IntervalWindow[] {
    const windows: IntervalWindow[] = [];
    const most = Math.ceil(this.#size / this.#period);
    for (let n = 0; n < most; n++) {
      const start = newest - n * this.#period;
      if (start + this.#size <= timestamp && n > 0) break;
      // Near the ends of time doubles are even numbers only: clamped, so that a window never lies outside them.
      if (start + this.#size > timestamp) windows.push(this.#window(clampTimestamp(start)));
    }
    return Object.freeze(windows);
  }

  #window(start: Timestamp): IntervalWindow {
    let window = this.#windows.get(start);
    if (window === undefined) {
      window = new IntervalWindow(start, clampTimestamp(start + this.#size));
      if (this.#windows.size >= CACHED_MAX) this.#windows.clear();
      this.#windows.set(start, window);
    }
    return window;
  }

  /** Of several windows, the earliest one that begins last: Beam's choice for side inputs. */
  sideInputWindow(mainWindow: Window): IntervalWindow {
    const last = mainWindow.maxTimestamp;
    return this.assign(last)[0] ?? this.#window(clampTimestamp(last - floorMod(last - this.#offset, this.#period)));
  }
}

/**
 * Windows that grow while elements of a key come within `gap` milliseconds of each other.
 *
 * @example
 * clicks.apply(windowInto(sessions(minutes(30))));
 */
export function sessions(gap: number | { readonly gap: number }): WindowFn<IntervalWindow> {
  const gapMs = typeof gap === "number" ? gap : gap.gap;
  checkDuration("sessions", "gap", gapMs);
  return Object.freeze<WindowFn<IntervalWindow>>({
    name: `sessions(${gapMs} ms)`,
    kind: "sessions",
    byTimestampOnly: true,
    assign: (timestamp) => [new IntervalWindow(timestamp, Math.min(MAX_TIMESTAMP, Math.max(MIN_TIMESTAMP, timestamp + gapMs)))],
    merge: mergeOverlapping,
    sideInputWindow: () => {
      throw new TidemarkError("SIDE_INPUT_MERGING_WINDOWS", {
        what: "a side input is in session windows",
        why: "which session an element of another collection belongs to is not defined, since sessions differ from key to key",
        fix: "window the side input into fixed or global windows",
      });
    },
    ...intervalData,
  });
}

/**
 * Merges windows that share an instant; those that only touch stay apart.
 *
 * Cost: O(n log n) time, O(n) memory.
 */
export function mergeOverlapping(windows: readonly IntervalWindow[]): readonly Merge<IntervalWindow>[] {
  const sorted = [...windows].sort((a, b) => a.start - b.start || a.end - b.end);
  const merges: Merge<IntervalWindow>[] = [];
  let group: IntervalWindow[] = [];
  let end = -Infinity;
  const close = (): void => {
    const [first] = group;
    if (first === undefined || group.length < 2) return;
    merges.push({ from: group, into: group.find((w) => w.start === first.start && w.end === end) ?? new IntervalWindow(first.start, end) });
  };
  for (const window of sorted) {
    // Strictly before: windows are half-open, so two that only touch share no instant.
    if (window.start < end) {
      group.push(window);
      end = Math.max(end, window.end);
    } else {
      close();
      group = [window];
      end = window.end;
    }
  }
  close();
  return merges;
}

/** A window function of your own. */
export interface CustomWindowsOptions<W extends Window> {
  /** For graphs and messages. Two functions of one name count as equal. */
  readonly name: string;
  assign(timestamp: Timestamp, element: unknown, windows: readonly Window[]): readonly W[];
  /** Present where windows merge: gets all live windows of a key, returns which become one. */
  readonly merge?: (windows: readonly W[]) => readonly Merge<W>[];
  /** Default: the first window of the main window's last instant. */
  readonly sideInputWindow?: (mainWindow: Window) => W;
  toData(window: W): unknown;
  fromData(data: unknown): W;
}

/** A window function of your own; synchronous and pure. */
export function customWindows<W extends Window>(options: CustomWindowsOptions<W>): WindowFn<W> {
  return Object.freeze<WindowFn<W>>({
    name: options.name,
    kind: "custom",
    byTimestampOnly: false,
    assign: (timestamp, element, windows) => options.assign(timestamp, element, windows),
    ...(options.merge && { merge: options.merge }),
    sideInputWindow: options.sideInputWindow ?? ((mainWindow) => options.assign(mainWindow.maxTimestamp, undefined, [mainWindow])[0] as W),
    toData: (window) => options.toData(window),
    fromData: (data) => options.fromData(data),
  });
}
