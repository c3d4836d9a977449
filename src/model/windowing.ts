/** How a collection is windowed: plain, frozen data that travels with the collection through the graph. */
import type { Trigger } from "./trigger.ts";
import type { WindowFn } from "./window-fn.ts";
import type { Window } from "./window.ts";

/** What a second pane of a window holds: everything since the window began, or what came since the last pane. */
export type AccumulationMode = "accumulating" | "discarding";
/** The event time of a pane: that of the window's last instant, or of its earliest or latest element. */
export type TimestampCombiner = "endOfWindow" | "earliest" | "latest";
/** Whether an expiring window fires a last pane that has nothing new in it. */
export type ClosingBehavior = "fireIfNonEmpty" | "fireAlways";
/** Whether a window fires at its end with nothing new in it. */
export type OnTimeBehavior = "fireAlways" | "fireIfNonEmpty";

/** Beam's windowing strategy. */
export interface WindowingStrategy<W extends Window = Window> {
  readonly windowFn: WindowFn<W>;
  readonly trigger: Trigger;
  readonly accumulation: AccumulationMode;
  /** Milliseconds of event time for which a window is kept after its end. */
  readonly allowedLateness: number;
  readonly timestampCombiner: TimestampCombiner;
  readonly closingBehavior: ClosingBehavior;
  readonly onTimeBehavior: OnTimeBehavior;
}
