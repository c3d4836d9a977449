/** Panes: which firing of its window a grouped value comes from. */

/** Relative to the end of the window: before, at, or after it. `UNKNOWN` for values that no trigger has fired. */
export type PaneTiming = "EARLY" | "ON_TIME" | "LATE" | "UNKNOWN";

/** One firing of one key and window. Immutable and shared. */
export interface Pane {
  readonly timing: PaneTiming;
  /** 0 for the first pane of the key and window, then 1, 2 … */
  readonly index: number;
  /** The same count over panes that are not `EARLY`; −1 for an early pane. */
  readonly nonSpeculativeIndex: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/**
 * The pane of every element that has not been grouped.
 *
 * @example
 * ```ts
 * p.create(["a"]).map((_, { pane }) => pane); // -> NO_FIRING
 * ```
 */
export const NO_FIRING: Pane = Object.freeze({
  timing: "UNKNOWN",
  index: 0,
  nonSpeculativeIndex: 0,
  isFirst: true,
  isLast: true,
});

/**
 * The only pane of a window that fires once, on time.
 *
 * @example
 * ```ts
 * p.create(["a", "a"])
 *   .apply(countPerElement())
 *   .map((_, { pane }) => pane); // -> ON_TIME_AND_ONLY
 * ```
 */
export const ON_TIME_AND_ONLY: Pane = Object.freeze({
  timing: "ON_TIME",
  index: 0,
  nonSpeculativeIndex: 0,
  isFirst: true,
  isLast: true,
});
