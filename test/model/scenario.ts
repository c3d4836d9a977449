/**
 * Scripted scenarios: what goes into a pipeline and when, and the panes that come out. Types and constants only.
 * Place: the language of test/fixtures/golden-panes.json, spoken by the reference model, by the generated scenarios
 * (arbitraries.ts) and by whoever runs the engine on them.
 *
 * S1 All times are milliseconds; event time counts from the epoch, processing time from 0 at the start of the script.
 * S2 One `elements` event is one bundle. The pipeline comes to rest between two events.
 * S3 The watermark stands at minus infinity before the first `watermark` event and never goes back.
 * S4 Nothing in this folder imports from src: the model is the engine's independent twin.
 */

/** The last instant of the global window: the nearest double to Beam's …775. */
export const GLOBAL_END = 9223371950454776;
/** Where `{ watermark: "inf" }` takes the watermark: after the end of the global window. */
export const WATERMARK_END = 9223372036854776;

export type GoldenWindowFn =
  | { readonly type: "fixed"; readonly size: number; readonly offset?: number }
  | { readonly type: "sliding"; readonly size: number; readonly period: number; readonly offset?: number }
  | { readonly type: "sessions"; readonly gap: number }
  | { readonly type: "global" };

export type GoldenTrigger =
  | { readonly type: "default" }
  | { readonly type: "never" }
  | { readonly type: "always" }
  | { readonly type: "afterWatermark"; readonly early?: GoldenTrigger; readonly late?: GoldenTrigger }
  | { readonly type: "afterCount"; readonly count: number }
  | { readonly type: "afterProcessingTime"; readonly delay: number }
  | { readonly type: "afterSynchronizedProcessingTime" }
  | { readonly type: "repeatedly"; readonly of: GoldenTrigger }
  | { readonly type: "afterAny"; readonly of: readonly GoldenTrigger[] }
  | { readonly type: "afterAll"; readonly of: readonly GoldenTrigger[] }
  | { readonly type: "afterEach"; readonly of: readonly GoldenTrigger[] }
  | { readonly type: "orFinally"; readonly of: GoldenTrigger; readonly until: GoldenTrigger };

export type GoldenCombine = "sum" | "count" | "mean" | "max";

export type GoldenProgram =
  | "runningCount"
  | "bufferUntilWindowEnd"
  | "idleFlush"
  | "cancelOnNegative"
  | "tagTimers"
  | "ticker"
  | "processingFlush";

export interface GoldenPipeline {
  readonly kind: "group" | "combine" | "cascade" | "cascadeRewindow" | "stateful";
  readonly window: GoldenWindowFn;
  /** Of `cascadeRewindow`: the windows of the second grouping. */
  readonly window2?: GoldenWindowFn;
  readonly trigger: GoldenTrigger;
  readonly accumulation: "accumulating" | "discarding";
  readonly allowedLateness: number;
  readonly timestampCombiner: "endOfWindow" | "earliest" | "latest";
  /** Default `fireIfNonEmpty`. */
  readonly closingBehavior?: "fireIfNonEmpty" | "fireAlways";
  /** Default `fireAlways`. */
  readonly onTimeBehavior?: "fireAlways" | "fireIfNonEmpty";
  /** Of `combine` and both cascades. */
  readonly combine?: GoldenCombine;
  /** Of `stateful`, with its numbers below. */
  readonly program?: GoldenProgram;
  readonly gap?: number;
  readonly period?: number;
  readonly count?: number;
  readonly delay?: number;
  /** Accept a trigger that may finish and so drop what comes after. */
  readonly allowUnsafeTriggers?: boolean;
}

export interface GoldenElement {
  readonly key: string;
  readonly value: number;
  readonly ts: number;
}

export type GoldenEvent =
  | { readonly elements: readonly GoldenElement[] }
  | { readonly watermark: number | "inf" }
  | { readonly advanceProcessingTime: number };

export interface Scenario {
  readonly pipeline: GoldenPipeline;
  readonly events: readonly GoldenEvent[];
}

/** A window as results show it: `[start, end)`, or the global one. */
export type ShownWindow = readonly [start: number, end: number] | "global";
/** An instant as results show it; the end of the global window has a name because it is no exact double minus one. */
export type ShownInstant = number | "globalMax";

export interface GoldenPane {
  readonly key: string;
  readonly window: ShownWindow;
  /** A sorted list (`group`, bags), or a number. */
  readonly value: number | readonly number[];
  readonly timing: "EARLY" | "ON_TIME" | "LATE" | "UNKNOWN";
  readonly index: number;
  readonly nonSpeculativeIndex: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly timestamp: ShownInstant;
}

/** An element that one of its windows did not take. */
export interface LateRecord {
  readonly key: string;
  readonly value: number;
  readonly ts: ShownInstant;
  readonly window: ShownWindow;
  /** `expired`: the window is past its end plus the allowed lateness. `closed`: its trigger has finished. */
  readonly reason: "expired" | "closed";
  /** Which keyed step dropped it, counted from 0. */
  readonly step: number;
}

/** What happened on the way, for those who ask how far a set of scenarios reaches. */
export type Mark =
  /** A window was made of several, `fired` of which had emitted a pane. */
  | { readonly kind: "merged"; readonly step: number; readonly fired: number }
  | { readonly kind: "emptyOnTime"; readonly step: number; readonly key: string }
  /** One advance of the watermark passed the ends of `windows` different windows that were holding data. */
  | { readonly kind: "windowsEnded"; readonly step: number; readonly windows: number }
  /** An element of a key was taken after the last of the key's windows had expired. */
  | { readonly kind: "keyReturned"; readonly step: number; readonly key: string };

export interface ReferenceResult {
  readonly panes: readonly GoldenPane[];
  readonly late: readonly LateRecord[];
  readonly marks: readonly Mark[];
}

/** A scenario that means nothing: the script or the pipeline breaks the language's rules. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
}
