/**
 * Which pane a firing is: timing, index, first and last.
 *
 * P1 EARLY until the watermark has passed the window's end; then one ON_TIME pane, unless the output watermark has already
 *    passed too; everything after that is LATE. A pane never goes back.
 * P2 `index` counts all panes of a key and window; `nonSpeculativeIndex` those that are not EARLY, and is −1 for an early one.
 */
import { ON_TIME_AND_ONLY, type Pane, type PaneTiming } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";

/** The pane after `previous` (none for the first). */
export function nextPane(
  previous: Pane | undefined,
  inputWatermark: Timestamp,
  outputWatermark: Timestamp,
  maxTimestamp: Timestamp,
  isLast: boolean,
): Pane {
  const timing = nextTiming(previous, inputWatermark, outputWatermark, maxTimestamp);
  if (previous === undefined && isLast && timing === "ON_TIME") return ON_TIME_AND_ONLY;
  const index = previous === undefined ? 0 : previous.index + 1;
  // Early panes carry −1 themselves, and an early pane never follows one that is not.
  const nonSpeculativeIndex = timing === "EARLY" ? -1 : previous === undefined ? 0 : previous.nonSpeculativeIndex + 1;
  return Object.freeze({ timing, index, nonSpeculativeIndex, isFirst: index === 0, isLast });
}

function nextTiming(
  previous: Pane | undefined,
  inputWatermark: Timestamp,
  outputWatermark: Timestamp,
  maxTimestamp: Timestamp,
): PaneTiming {
  const onlyEarlySoFar = previous === undefined || previous.timing === "EARLY";
  if (!onlyEarlySoFar || maxTimestamp < outputWatermark) return "LATE";
  return maxTimestamp < inputWatermark ? "ON_TIME" : "EARLY";
}
