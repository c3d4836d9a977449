/**
 * Windows: values that say to which stretch of event time an element belongs.
 *
 * W1 Two windows of one windowing are the same if and only if their `id`s are equal; objects may differ.
 * W2 An interval window is half-open, `[start, end)`; its last instant is `end - 1`.
 */
import { clampTimestamp, END_OF_GLOBAL_WINDOW, formatTimestamp, type Timestamp } from "./time.ts";

/** What every window has. Custom WindowFns may bring their own classes. */
export interface Window {
  /** The last instant that belongs to the window; it ends when the watermark is after it. */
  readonly maxTimestamp: Timestamp;
  /** Equal for equal windows of one windowing, and for them only. */
  readonly id: string;
}

/**
 * `[start, end)` in milliseconds of event time.
 *
 * @example
 * ```ts
 * const minute = new IntervalWindow(0, 60_000);
 * minute.maxTimestamp; // -> 59_999
 * minute.id === new IntervalWindow(0, 60_000).id; // -> true
 * String(minute); // -> "[1970-01-01T00:00:00.000Z, 1970-01-01T00:01:00.000Z)"
 * JSON.stringify(minute); // -> '{"start":0,"end":60000}'
 * ```
 */
export class IntervalWindow implements Window {
  readonly start: Timestamp;
  readonly end: Timestamp;
  readonly maxTimestamp: Timestamp;
  /** Made when it is first asked for. */
  #id: string | undefined;

  constructor(start: Timestamp, end: Timestamp) {
    this.start = start;
    this.end = end;
    this.maxTimestamp = clampTimestamp(end - 1);
  }

  /** Equal for equal windows, and for them only. */
  get id(): string {
    return (this.#id ??= `${this.start}:${this.end}`);
  }

  /** The window in ISO time, for people. */
  toString(): string {
    return `[${formatTimestamp(this.start)}, ${formatTimestamp(this.end)})`;
  }

  /** Its bounds in milliseconds. */
  toJSON(): { start: Timestamp; end: Timestamp } {
    return { start: this.start, end: this.end };
  }
}

/**
 * The one window of the global windowing. Programs use the constant `GLOBAL_WINDOW`.
 *
 * @example
 * ```ts
 * p.create(["a"]).map((_, { window }) => window instanceof GlobalWindow); // -> true
 * ```
 */
export class GlobalWindow implements Window {
  readonly maxTimestamp: Timestamp = END_OF_GLOBAL_WINDOW;
  readonly id = "global";

  /** `"global"`. */
  toString(): string {
    return "global";
  }

  /** `"global"`. */
  toJSON(): string {
    return "global";
  }
}

/**
 * The global window.
 *
 * @example
 * ```ts
 * GLOBAL_WINDOW.maxTimestamp; // -> END_OF_GLOBAL_WINDOW
 * ```
 */
export const GLOBAL_WINDOW: GlobalWindow = new GlobalWindow();
/** `[GLOBAL_WINDOW]`, shared by every element in it. */
export const GLOBAL_WINDOWS: readonly Window[] = Object.freeze([GLOBAL_WINDOW]);

/**
 * A window for people: `[start, end)` in ISO time, `global`, or the id of a window of your own.
 *
 * @example
 * ```ts
 * formatWindow(GLOBAL_WINDOW); // -> "global"
 * ```
 */
export function formatWindow(window: Window): string {
  return window instanceof IntervalWindow || window instanceof GlobalWindow ? window.toString() : window.id;
}
