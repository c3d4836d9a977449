/**
 * The window functions of the model: which windows an element is in, and which sessions become one.
 * Path: the program's windowInto -> HERE -> exec, which asks for each element.
 *
 * F1 An element lies in every window that it is assigned: `[start, end)`, with starts at `offset` modulo the period, also
 *    below zero.
 * F2 One WindowFn hands out the same array and the same window objects for equal windows, as long as they are in its cache,
 *    so that steps downstream recognise them by identity.
 * F3 No window ends after the global window, since the watermark would never pass it: the last ones are cut short, and what
 *    is later still lies in the last of all.
 * F4 Beyond 2^53, where doubles are even numbers only, a bound is the double nearest to it: computed in one step from the
 *    timestamp, so that it is the same for every element of the window.
 */
import { TidemarkError } from "../base/errors.ts";
import { END_OF_GLOBAL_WINDOW, type Timestamp } from "../model/time.ts";
import type { Merge, WindowFn } from "../model/window-fn.ts";
import { GLOBAL_WINDOW, GLOBAL_WINDOWS, GlobalWindow, IntervalWindow, type Window } from "../model/window.ts";

/** Windows kept to be handed out again. */
const CACHED_MAX = 4096;
/** Sums of two numbers up to here are exact (and 2^52 ms are 142,000 years). */
const EXACT_MAX = 2 ** 52;
/** The last double before the end of the global window: no window begins later. */
const LAST_START = END_OF_GLOBAL_WINDOW - 2;

function checkDuration(fn: string, name: string, value: unknown): asserts value is number {
  if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= EXACT_MAX) return;
  throw new TidemarkError("WINDOW_INVALID", {
    what: `${fn} got the ${name} ${String(value)}`,
    why: `a ${name} is a whole number of milliseconds, from 1 to 2^52`,
    fix: `write for example seconds(60)`,
  });
}

function checkOffset(fn: string, value: unknown): asserts value is number {
  if (Number.isInteger(value) && Math.abs(value as number) <= EXACT_MAX) return;
  throw new TidemarkError("WINDOW_INVALID", {
    what: `${fn} got the offset ${String(value)}`,
    why: "an offset is a whole number of milliseconds",
    fix: "leave it out, or write for example hours(9)",
  });
}

/** A bare duration, or the options that it stands in. */
function isBare(value: unknown): value is number {
  return typeof value !== "object" || value === null;
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

/**
 * One window for all of time: the windowing that every collection begins with. An unbounded collection needs a trigger in it.
 *
 * @example
 * ```ts
 * p.create(["a", "b"]).apply(windowInto(globalWindows())).apply(countGlobally()); // -> 2
 * ```
 */
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
 * @param size in ms, or `{ size, offset }`
 * @throws WINDOW_INVALID when the size is not a whole number from 1, or the offset not a whole number
 *
 * @example
 * ```ts
 * p.create([1000, 4999, 5000], { timestamps: (ms) => ms })
 *   .apply(windowInto(fixedWindows(seconds(5))))
 *   .apply(countGlobally({ withDefault: false })); // -> 2, 1
 * ```
 */
export function fixedWindows(size: number | FixedWindowsOptions): WindowFn<IntervalWindow> {
  const { size: sizeMs, offset = 0 }: FixedWindowsOptions = isBare(size) ? { size } : size;
  checkDuration("fixedWindows", "size", sizeMs);
  checkOffset("fixedWindows", offset);
  return new PeriodicWindowFn("fixed", sizeMs, sizeMs, floorMod(offset, sizeMs));
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
 * Cost: a combine under the default trigger adds an element to one slice, however many windows it is in; other groupings file
 * it in each of its windows.
 * @throws WINDOW_INVALID when a duration is not a whole number from 1, or the offset not a whole number
 *
 * @example
 * ```ts
 * p.create([7000], { timestamps: (ms) => ms })
 *   .apply(windowInto(slidingWindows({ size: seconds(10), every: seconds(5) })))
 *   .map((_, { window }) => formatWindow(window));
 * // -> "[1970-01-01T00:00:00.000Z, 1970-01-01T00:00:10.000Z)",
 * //    "[1970-01-01T00:00:05.000Z, 1970-01-01T00:00:15.000Z)"
 * ```
 */
export function slidingWindows(options: SlidingWindowsOptions): WindowFn<IntervalWindow> {
  if (isBare(options)) {
    throw new TidemarkError("WINDOW_INVALID", {
      what: `slidingWindows got ${String(options)}`,
      why: "it takes its durations by name",
      fix: "write for example slidingWindows({ size: seconds(60), every: seconds(5) })",
    });
  }
  const { size, every, offset = 0 } = options;
  checkDuration("slidingWindows", "size", size);
  checkDuration("slidingWindows", "period", every);
  checkOffset("slidingWindows", offset);
  return new PeriodicWindowFn("sliding", size, every, floorMod(offset, every));
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
  /** So many arrays are kept: fewer, the longer they are. */
  readonly #arraysMax: number;
  // Replaced when full, never cleared: host/records.ts, P3.
  #windows = new Map<Timestamp, IntervalWindow>();
  #arrays = new Map<Timestamp, readonly IntervalWindow[]>();
  #lastFrom = Infinity;
  #lastTo = -Infinity;
  #last: readonly IntervalWindow[] = [];

  constructor(kind: "fixed" | "sliding", size: number, period: number, offset: number) {
    this.kind = kind;
    this.#size = size;
    this.#period = period;
    this.#offset = offset;
    this.#cut = size % period;
    this.#arraysMax = Math.min(CACHED_MAX, Math.max(64, Math.floor((CACHED_MAX * 64 * period) / size)));
    const shift = offset === 0 ? "" : `, offset ${offset} ms`;
    this.name = kind === "fixed" ? `fixed(${size} ms${shift})` : `sliding(${size} ms every ${period} ms${shift})`;
  }

  assign(timestamp: Timestamp): readonly IntervalWindow[] {
    if (timestamp >= this.#lastFrom && timestamp < this.#lastTo) return this.#last;
    return this.#assign(timestamp);
  }

  #assign(timestamp: Timestamp): readonly IntervalWindow[] {
    const at = Math.min(Math.floor(timestamp), LAST_START);
    const into = this.#intoPeriod(at);
    let from = at;
    let to = at + 1 > at ? at + 1 : at + 2;
    // Within a period all elements lie in the same windows but for the oldest, which ends at the cut. Where sums may round
    // every instant goes by itself.
    if (Math.abs(at) <= EXACT_MAX) {
      const start = at - into;
      const beforeCut = into < this.#cut;
      from = beforeCut ? start : start + this.#cut;
      to = beforeCut ? start + this.#cut : start + this.#period;
    }
    let windows = this.#arrays.get(from);
    if (windows === undefined) {
      windows = Math.abs(at) <= EXACT_MAX ? this.#follow(at, into) : this.#make(at, into);
      if (this.#arrays.size >= this.#arraysMax) this.#arrays = new Map();
      this.#arrays.set(from, windows);
    }
    this.#last = windows;
    this.#lastFrom = from;
    this.#lastTo = to;
    return windows;
  }

  /** How long before `at` the newest window began. Taken modulo the period twice, since `at - offset` might round. */
  #intoPeriod(at: Timestamp): number {
    return floorMod((at % this.#period) - this.#offset, this.#period);
  }

  /** The windows at `at` made of those just before, of which only one at each end differs. */
  #follow(at: Timestamp, into: number): readonly IntervalWindow[] {
    const start = at - into;
    const cut = this.#cut;
    if (cut > 0 && into >= cut) {
      const before = this.#arrays.get(start);
      return before === undefined ? this.#make(at, into) : Object.freeze(before.slice(0, -1));
    }
    const before = this.#arrays.get(start - this.#period + cut);
    if (before === undefined || before.length === 0) return this.#make(at, into);
    const windows = [this.#window(at, into), ...before];
    if (cut === 0) windows.pop();
    return Object.freeze(windows);
  }

  /** From the newest window down. */
  #make(at: Timestamp, into: number): readonly IntervalWindow[] {
    const windows: IntervalWindow[] = [];
    for (let age = into; age < this.#size; age += this.#period) {
      const window = this.#window(at, age);
      // F4: two starts 2 ms apart may round to one.
      if (window !== windows.at(-1)) windows.push(window);
    }
    return Object.freeze(windows);
  }

  /** The window that begins `age` before `at`. */
  #window(at: Timestamp, age: number): IntervalWindow {
    const start = at - age;
    let window = this.#windows.get(start);
    if (window === undefined) {
      window = new IntervalWindow(start, Math.min(at + (this.#size - age), END_OF_GLOBAL_WINDOW));
      if (this.#windows.size >= CACHED_MAX) this.#windows = new Map();
      this.#windows.set(start, window);
    }
    return window;
  }

  /** Of the windows that hold the main window's last instant the earliest, as in Beam; in a gap, the next one after it. */
  sideInputWindow(mainWindow: Window): IntervalWindow {
    if (mainWindow instanceof GlobalWindow) throw noSideInputWindow(this.name);
    const at = Math.min(mainWindow.maxTimestamp, LAST_START);
    return this.assign(at).at(-1) ?? this.#window(at, this.#intoPeriod(at) - this.#period);
  }
}

function noSideInputWindow(name: string): TidemarkError {
  return new TidemarkError("SIDE_INPUT_WINDOW_UNKNOWN", {
    what: `an element in the global window looks into a side input in the windows ${name}`,
    why: "the global window ends with the end of time, and no window of the side input belongs to it sooner",
    fix: "window the main input too, or put the side input into globalWindows()",
  });
}

function mergingSideInput(name: string): TidemarkError {
  return new TidemarkError("SIDE_INPUT_MERGING_WINDOWS", {
    what: `a side input is in the merging windows ${name}`,
    why: "which of them an element of another collection belongs to is not defined, since they differ from key to key",
    fix: "window the side input into fixed or global windows",
  });
}

/**
 * Windows that grow while elements of a key come within `gap` milliseconds of each other. They merge when they are grouped;
 * a DoFn with state, and a side input, cannot be in them.
 * @throws WINDOW_INVALID when the gap is not a whole number from 1
 *
 * @example
 * ```ts
 * p.createTimestamped<KV<string, string>>([at(0, ["ann", "x"]), at(minutes(20), ["ann", "y"]), at(minutes(90), ["ann", "z"])])
 *   .apply(windowInto(sessions(minutes(30))))
 *   .groupByKey(); // -> ["ann", ["x", "y"]], ["ann", ["z"]]
 * ```
 */
export function sessions(gap: number | { readonly gap: number }): WindowFn<IntervalWindow> {
  const gapMs = isBare(gap) ? gap : gap.gap;
  checkDuration("sessions", "gap", gapMs);
  return Object.freeze<WindowFn<IntervalWindow>>({
    name: `sessions(${gapMs} ms)`,
    kind: "sessions",
    byTimestampOnly: true,
    assign: (timestamp) => {
      const start = Math.min(Math.floor(timestamp), LAST_START);
      return [new IntervalWindow(start, Math.min(start + gapMs, END_OF_GLOBAL_WINDOW))];
    },
    merge: mergeOverlapping,
    sideInputWindow: () => {
      throw mergingSideInput(`sessions(${gapMs} ms)`);
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
    merges.push({
      from: group,
      into: group.find((w) => w.start === first.start && w.end === end) ?? new IntervalWindow(first.start, end),
    });
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

/** A window function of your own. `W` is an `IntervalWindow` or any object with `maxTimestamp` and `id`. */
export interface CustomWindowsOptions<W extends Window> {
  /** For graphs and messages. Two functions of one name count as equal. */
  readonly name: string;
  /** The windows of an element at `timestamp` (ms of event time); `windows` are those that it is in so far. */
  assign(timestamp: Timestamp, element: unknown, windows: readonly Window[]): readonly W[];
  /** Present where windows merge: gets all live windows of a key, returns which become one. */
  readonly merge?: (windows: readonly W[]) => readonly Merge<W>[];
  /**
   * The window of a side input for elements in `mainWindow`. Default: the last that `assign` gives for the main window's last
   * instant, without an element; where windows merge there is none, and the side input is refused.
   */
  readonly sideInputWindow?: (mainWindow: Window) => W;
  /**
   * How many ms before the end of the main window the one that `sideInputWindow` gives may end, as in yesterday's prices for
   * today's orders: for so long a side input's windows are kept. Default 0: it ends with the main window or later.
   */
  readonly maximumLookback?: number;
  /** Whether `assign` looks at the timestamp only. Default false. */
  readonly byTimestampOnly?: boolean;
  /** The window as numbers, strings, arrays and plain objects, for checkpoints and messages. */
  toData(window: W): unknown;
  /** The window that `toData` gave `data` for. */
  fromData(data: unknown): W;
}

/**
 * A window function of your own; synchronous and pure.
 * @throws WINDOW_INVALID when the name or a function is missing
 *
 * @example
 * ```ts
 * const weekdays = customWindows({
 *   name: "Monday to Sunday",
 *   assign(timestamp) {
 *     const monday = Math.floor((timestamp - days(4)) / days(7)) * days(7) + days(4); // 1 January 1970 was a Thursday
 *     return [new IntervalWindow(monday, monday + days(7))];
 *   },
 *   toData: ({ start, end }) => [start, end],
 *   fromData: (data) => new IntervalWindow(...(data as [number, number])),
 * });
 * p.createTimestamped([at(Date.UTC(2026, 0, 1), "a"), at(Date.UTC(2026, 0, 5), "b")])
 *   .apply(windowInto(weekdays))
 *   .apply(countGlobally({ withDefault: false })); // -> 1, 1
 * ```
 */
export function customWindows<W extends Window>(options: CustomWindowsOptions<W>): WindowFn<W> {
  if (isBare(options)) throw invalidCustom(`got ${String(options)}`);
  const { name, merge, maximumLookback } = options;
  if (typeof name !== "string" || name === "") throw invalidCustom(`got the name ${JSON.stringify(name)}`);
  for (const member of ["assign", "toData", "fromData"] as const) {
    if (typeof options[member] !== "function") throw invalidCustom(`"${name}" got no function ${member}`);
  }
  for (const member of ["merge", "sideInputWindow"] as const) {
    if (!["function", "undefined"].includes(typeof options[member])) {
      throw invalidCustom(`"${name}" got a ${member} that is not a function`);
    }
  }
  if (maximumLookback !== undefined && !(Number.isFinite(maximumLookback) && maximumLookback >= 0)) {
    throw invalidCustom(`"${name}" got a maximumLookback that is not a number of ms from 0`);
  }
  const ofLastInstant = (mainWindow: Window): W => {
    if (merge !== undefined) throw mergingSideInput(name);
    const window = options.assign(mainWindow.maxTimestamp, undefined, [mainWindow]).at(-1);
    if (window === undefined) throw noCustomSideInputWindow(name);
    return window;
  };
  return Object.freeze<WindowFn<W>>({
    name,
    kind: "custom",
    byTimestampOnly: options.byTimestampOnly ?? false,
    assign: (timestamp, element, windows) => options.assign(timestamp, element, windows),
    ...(merge && { merge }),
    sideInputWindow: options.sideInputWindow ?? ofLastInstant,
    ...(maximumLookback !== undefined && { maximumLookback }),
    toData: (window) => options.toData(window),
    fromData: (data) => options.fromData(data),
  });
}

function invalidCustom(what: string): TidemarkError {
  return new TidemarkError("WINDOW_INVALID", {
    what: `customWindows ${what}`,
    why: "a window function has a name, and the functions assign, toData and fromData",
    fix: "give what is missing",
  });
}

function noCustomSideInputWindow(name: string): TidemarkError {
  return new TidemarkError("SIDE_INPUT_WINDOW_UNKNOWN", {
    what: `the windows ${name} of a side input have none for the main window's last instant`,
    why: "assign gave no window for it",
    fix: "give customWindows a function sideInputWindow",
  });
}
