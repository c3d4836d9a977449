/**
 * Which pane a firing is: timing, index, first and last.
 * Path: exec's grouping, when a trigger fires -> HERE -> the pane that the output carries.
 *
 * P1 EARLY until the watermark has passed the window's end; then one ON_TIME pane, unless the output watermark has already
 *    passed too; everything after that is LATE. A pane never goes back.
 * P2 `index` counts all panes of a key and window; `nonSpeculativeIndex` those that are not EARLY, and is −1 for an early one.
 */
import { ON_TIME_AND_ONLY, type Pane, type PaneTiming } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";

/** First panes are shared: most windows fire once, and most of them on time. */
const FIRST_PANES: Readonly<Record<Exclude<PaneTiming, "UNKNOWN">, readonly [more: Pane, only: Pane]>> = {
  EARLY: [firstPane("EARLY", false), firstPane("EARLY", true)],
  ON_TIME: [firstPane("ON_TIME", false), ON_TIME_AND_ONLY],
  LATE: [firstPane("LATE", false), firstPane("LATE", true)],
};

function firstPane(timing: PaneTiming, isLast: boolean): Pane {
  return Object.freeze({ timing, index: 0, nonSpeculativeIndex: timing === "EARLY" ? -1 : 0, isFirst: true, isLast });
}

/**
 * The pane of a firing.
 *
 * @param previous the last pane of the key and window; none before the first
 * @param maxTimestamp the last instant of the window
 * @param isLast whether nothing can come after it: the trigger has finished, or the window expires
 */
export function nextPane(
  previous: Pane | undefined,
  inputWatermark: Timestamp,
  outputWatermark: Timestamp,
  maxTimestamp: Timestamp,
  isLast: boolean,
): Pane {
  const timing = nextTiming(previous, inputWatermark, outputWatermark, maxTimestamp);
  if (previous === undefined) return FIRST_PANES[timing][isLast ? 1 : 0];
  // Early panes carry −1 themselves, and an early pane never follows one that is not.
  const nonSpeculativeIndex = timing === "EARLY" ? -1 : previous.nonSpeculativeIndex + 1;
  return Object.freeze({ timing, index: previous.index + 1, nonSpeculativeIndex, isFirst: false, isLast });
}

function nextTiming(
  previous: Pane | undefined,
  inputWatermark: Timestamp,
  outputWatermark: Timestamp,
  maxTimestamp: Timestamp,
): Exclude<PaneTiming, "UNKNOWN"> {
  const onlyEarlySoFar = previous === undefined || previous.timing === "EARLY";
  if (!onlyEarlySoFar || maxTimestamp < outputWatermark) return "LATE";
  return maxTimestamp < inputWatermark ? "ON_TIME" : "EARLY";
}
