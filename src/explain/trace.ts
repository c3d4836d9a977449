/**
 * The journey of elements through traced steps, as it is told: plain data, and in words.
 * Path: exec/stage-trace.ts sees it -> HERE -> the program's `onEvent`, or the command's output.
 */
import { unreachable } from "../base/assert.ts";
import type { Need } from "../model/need.ts";
import type { PaneTiming } from "../model/pane.ts";
import { formatTimestamp, type Timestamp } from "../model/time.ts";
import { needText } from "./words.ts";

/** An element as a step gets it, or puts it out. */
export interface TracedElement {
  /** A preview. */
  readonly element: string;
  readonly timestamp: Timestamp;
  /** Texts. */
  readonly windows: readonly string[];
  /** Of what a grouping has put out: which pane of its key and window it is. */
  readonly pane?: { readonly timing: PaneTiming; readonly index: number; readonly isLast: boolean };
}

/** What happens at a traced step. `now` is the job's clock, `watermark` the step's own input watermark. */
export type TraceEvent = { readonly step: string; readonly now: number; readonly watermark: Timestamp } & (
  | ({ readonly kind: "in" } & TracedElement)
  /** `output` is the tag: `main`, `late`, `deadLetter` or one of the program's. */
  | ({ readonly kind: "out"; readonly output: string } & TracedElement)
  /** Of an element that came in before: it went no further. */
  | { readonly kind: "dropped"; readonly reason: string }
  /** At the end of a bundle: what the pane of a key and window waits for, or that it is met. */
  | { readonly kind: "waits"; readonly window: string; readonly key: string; readonly need: Need }
  /** A timer of the program, or a window's end or expiry, was due at `at`. */
  | {
      readonly kind: "due";
      readonly window: string;
      readonly at: number;
      readonly key?: string;
      readonly timer?: string;
    }
);

/**
 * One line for people.
 *
 * @example
 * ```ts
 * const at = { step: "Sum", now: 0, watermark: 5 };
 * describeTrace({ ...at, kind: "in", element: '["a",1]', timestamp: 7, windows: ["global"] });
 * // -> '"Sum" in ["a",1] at 1970-01-01T00:00:00.007Z in global'
 * describeTrace({ ...at, kind: "waits", window: "global", key: '"a"', need: { kind: "count", have: 1, of: 2 } });
 * // -> '"Sum" waits with key "a" of global: needs 2 elements, of which 1 has come'
 * ```
 */
export function describeTrace(event: TraceEvent): string {
  return `"${event.step}" ${told(event)}`;
}

function told(event: TraceEvent): string {
  switch (event.kind) {
    case "in":
      return `in ${elementText(event)}`;
    case "out":
      return `out ${event.output === "main" ? "" : `to ${event.output} `}${elementText(event)}`;
    case "dropped":
      return `drops it: ${event.reason}, with the watermark at ${formatTimestamp(event.watermark)}`;
    case "waits":
      return `waits with key ${event.key} of ${event.window}: needs ${needText(event.need, event.watermark, event.now)}`;
    case "due": {
      const whose =
        event.timer === undefined ? event.window : `timer ${event.timer} of key ${event.key} in ${event.window}`;
      return `${whose} is due at ${formatTimestamp(event.at)}, with the watermark at ${formatTimestamp(event.watermark)}`;
    }
    default:
      return unreachable(event);
  }
}

function elementText({ element, timestamp, windows, pane }: TracedElement): string {
  const which = pane === undefined ? "" : `, ${pane.timing} pane ${pane.index}${pane.isLast ? ", the last" : ""}`;
  return `${element} at ${formatTimestamp(timestamp)} in ${windows.join(", ")}${which}`;
}
