/**
 * Windowing strategies: their defaults, their checks, and when a window is over.
 * Path: the program's windowInto -> HERE -> the graph, exec's grouping.
 *
 * S1 A strategy that stands is complete and frozen: every choice is made, and is one of those that there are.
 * S2 A window expires at its end at the earliest, and at the end of the global window, where time ends for windows, at the
 *    latest; one of a custom WindowFn that ends later still, at its end.
 */
import { TidemarkError } from "../base/errors.ts";
import { END_OF_GLOBAL_WINDOW, type Timestamp } from "../model/time.ts";
import type { Trigger } from "../model/trigger.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { Window } from "../model/window.ts";
import type {
  AccumulationMode,
  ClosingBehavior,
  OnTimeBehavior,
  TimestampCombiner,
  WindowingStrategy,
} from "../model/windowing.ts";
import { checkTrigger, continuationTrigger, defaultTrigger, mayFinish, triggerToString } from "./triggers.ts";
import { globalWindows } from "./window-fns.ts";

/** What `windowInto` takes beside the window function. */
export interface WindowingOptions {
  /** Default: `defaultTrigger()`: when the watermark passes the window's end, then with each late element. */
  readonly trigger?: Trigger;
  /** Default `discarding`. */
  readonly accumulation?: AccumulationMode;
  /** Milliseconds of event time for which a window is kept after its end. Default 0. */
  readonly allowedLateness?: number;
  /** Default `endOfWindow`. */
  readonly timestampCombiner?: TimestampCombiner;
  /** Default `fireIfNonEmpty`. */
  readonly closingBehavior?: ClosingBehavior;
  /** Default `fireAlways`. */
  readonly onTimeBehavior?: OnTimeBehavior;
}

/**
 * A windowing strategy, checked and frozen.
 *
 * @throws WINDOW_INVALID, TRIGGER_INVALID when an option makes no sense
 */
export function windowingStrategy<W extends Window>(
  windowFn: WindowFn<W>,
  options: WindowingOptions = {},
): WindowingStrategy<W> {
  const allowedLateness = options.allowedLateness ?? 0;
  if (!Number.isFinite(allowedLateness) || allowedLateness < 0) {
    throw new TidemarkError("WINDOW_INVALID", {
      what: `the allowed lateness is ${String(options.allowedLateness)}`,
      why: "it is a number of milliseconds from 0 up",
      fix: "write for example seconds(30)",
    });
  }
  if (options.trigger !== undefined) checkTrigger("windowInto", options.trigger);
  checkChoice("accumulation", options.accumulation, ["accumulating", "discarding"]);
  checkChoice("timestampCombiner", options.timestampCombiner, ["endOfWindow", "earliest", "latest"]);
  checkChoice("closingBehavior", options.closingBehavior, ["fireIfNonEmpty", "fireAlways"]);
  checkChoice("onTimeBehavior", options.onTimeBehavior, ["fireAlways", "fireIfNonEmpty"]);
  return Object.freeze({
    windowFn,
    trigger: options.trigger ?? defaultTrigger(),
    accumulation: options.accumulation ?? "discarding",
    allowedLateness,
    timestampCombiner: options.timestampCombiner ?? "endOfWindow",
    closingBehavior: options.closingBehavior ?? "fireIfNonEmpty",
    onTimeBehavior: options.onTimeBehavior ?? "fireAlways",
  });
}

/** For programs that get their options from elsewhere, or are not checked by the compiler. */
function checkChoice<T extends string>(name: string, value: T | undefined, choices: readonly T[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new TidemarkError("WINDOW_INVALID", {
    what: `the ${name} is ${JSON.stringify(value)}`,
    why: `it is one of ${choices.map((choice) => `"${choice}"`).join(", ")}`,
    fix: `write ${name}: "${choices[0]}", or leave it out`,
  });
}

/** The windowing that every collection begins with. */
export const DEFAULT_WINDOWING: WindowingStrategy = windowingStrategy(globalWindows());

/**
 * The windowing after a grouping: the trigger's continuation; and windows that merged are merged now, so that a second
 * grouping does not merge them again.
 */
export function afterGrouping(windowing: WindowingStrategy): WindowingStrategy {
  const { windowFn } = windowing;
  const trigger = continuationTrigger(windowing.trigger);
  return Object.freeze({
    ...windowing,
    trigger,
    windowFn: windowFn.merge === undefined ? windowFn : withoutMerging(windowFn),
  });
}

function withoutMerging(windowFn: WindowFn): WindowFn {
  const { name, kind, byTimestampOnly } = windowFn;
  return Object.freeze<WindowFn>({
    name: `merged ${name}`,
    kind,
    byTimestampOnly,
    assign: (timestamp, element, windows) => windowFn.assign(timestamp, element, windows),
    sideInputWindow: (window) => windowFn.sideInputWindow(window),
    toData: (window) => windowFn.toData(window),
    fromData: (data) => windowFn.fromData(data),
  });
}

/** The last instant at which the watermark still leaves `window` alive. */
export function expiryTime(window: Window, allowedLateness: number): Timestamp {
  const { maxTimestamp } = window;
  // The global window, and windows near it, end where time ends for windows: timers beyond could never fire.
  return maxTimestamp >= END_OF_GLOBAL_WINDOW - allowedLateness
    ? Math.max(maxTimestamp, END_OF_GLOBAL_WINDOW)
    : maxTimestamp + allowedLateness;
}

/** Whether a window takes no more elements, and its state is gone. */
export function isExpired(window: Window, allowedLateness: number, watermark: Timestamp): boolean {
  return watermark > expiryTime(window, allowedLateness);
}

/**
 * Refuses a trigger that may finish and then drop what comes after it.
 *
 * Beam's rule: of the triggers that may finish, `never` is let through, since it finishes when the window expires, and
 * `afterWatermark` where no lateness is allowed, since it finishes at the window's end and nothing comes after.
 * @throws UNSAFE_TRIGGER
 */
export function checkTriggerSafe(trigger: Trigger, allowedLateness: number, allowUnsafe: boolean): void {
  if (allowUnsafe || !mayFinish(trigger)) return;
  if (trigger.kind === "never") return;
  if (trigger.kind === "afterWatermark" && allowedLateness === 0) return;
  throw new TidemarkError("UNSAFE_TRIGGER", {
    what: `the trigger ${triggerToString(trigger)} may finish, and what comes after it would be lost`,
    why: "a trigger that has fired for good closes its window: later elements are dropped",
    fix: "wrap it: repeatedly(trigger), or allow the loss with pipeline({ allowUnsafeTriggers: true, … })",
  });
}
