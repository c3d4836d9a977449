/**
 * What is refused while a pipeline is being built, because it could only hang, lose data or fail later.
 * Pure: each check looks at plain data and throws a coded error with the step's name and place.
 */
import type { Coder } from "../coders/coder.ts";
import { KV_URN, keyCoderOf } from "../coders/composites.ts";
import type { CallOptions } from "../fn/call-options.ts";
import type { CombineFn } from "../fn/combine-fn.ts";
import { isAsyncFunction } from "../fn/inspect.ts";
import type { DoFn } from "../fn/do-fn.ts";
import type { StateSpecs } from "../fn/state.ts";
import type { Trigger } from "../model/trigger.ts";
import type { WindowFn } from "../model/window-fn.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { checkTriggerSafe } from "../windowing/strategy.ts";
import { triggerToString } from "../windowing/triggers.ts";
import { atPlace, stepError, type CollectionTraits, type StepPlace } from "./builder.ts";

/** @throws ASYNC_NOT_ALLOWED when `fn` is an async function; `what` names it, as in `the key function` */
export function checkSync(place: StepPlace, what: string, fn: unknown): void {
  if (!isAsyncFunction(fn)) return;
  throw stepError("ASYNC_NOT_ALLOWED", place, {
    what: `${what} of "${place.name}" is async`,
    why: "it is called inside the engine's synchronous turn, where nobody waits for a promise",
    fix: "do the async work in a map or a DoFn before this step",
  });
}

/** @throws TRANSFORM_INVALID when `fn` is no function; `what` names it */
export function checkFunction(place: StepPlace, what: string, fn: unknown): void {
  if (typeof fn === "function") return;
  throw stepError("TRANSFORM_INVALID", place, {
    what: `${what} of "${place.name}" is not a function but ${describe(fn)}`,
    fix: "pass a function",
  });
}

/** Refuses options of calls that could only hang or do nothing. @throws TRANSFORM_INVALID */
export function checkCallOptions(place: StepPlace, { retry, timeout, concurrency }: CallOptions): void {
  const refuse = (option: string, value: unknown, wants: string): never => {
    throw stepError("TRANSFORM_INVALID", place, {
      what: `"${place.name}" has the ${option} ${String(value)}`,
      fix: `give ${wants}, or leave it out`,
    });
  };
  const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;
  if (concurrency !== undefined && !isCount(concurrency))
    refuse("concurrency", concurrency, "a whole number of calls, from 1 up");
  if (timeout !== undefined && !(timeout > 0 && timeout < Infinity))
    refuse("timeout", timeout, "a number of milliseconds above 0");
  if (retry === undefined) return;
  if (!isCount(retry.attempts)) refuse("number of attempts", retry.attempts, "a whole number, the first call included");
  const { backoff } = retry;
  const isWait = typeof backoff !== "number" || (backoff >= 0 && backoff < Infinity);
  if (!isWait) refuse("backoff", backoff, "a number of milliseconds from 0 up");
}

/** @throws ASYNC_NOT_ALLOWED when `coder`, or one that it is made of, is async */
export function checkCoder(place: StepPlace, coder: Coder<unknown> | undefined): void {
  if (coder === undefined) return;
  for (const method of ["encode", "decode", "encodeOuter", "decodeOuter"] as const) {
    checkSync(place, `${method} of the coder ${coder.name}`, coder[method]);
  }
  for (const part of coder.components ?? []) checkCoder(place, part);
}

/** Checks what state cells are declared with. @throws COMBINE_FN_INVALID, ASYNC_NOT_ALLOWED */
export function checkStateSpecs(place: StepPlace, specs: StateSpecs = {}): void {
  for (const [cell, { coder, keyCoder, combineFn, kind }] of Object.entries(specs)) {
    checkCoder(place, coder);
    checkCoder(place, keyCoder);
    if (kind === "combining")
      checkCombineFn(place, combineFn, `the CombineFn of the cell "${cell}" of "${place.name}"`);
  }
}

/** Every timer has its callback, and every callback its timer. @throws TIMER_INVALID */
export function checkTimers(place: StepPlace, { timers = {}, onTimer = {} }: DoFn<never, unknown>): void {
  const callbacks = onTimer as Readonly<Record<string, unknown>>;
  for (const timer of Object.keys(timers)) {
    if (typeof callbacks[timer] === "function") continue;
    throw stepError("TIMER_INVALID", place, {
      what: `the DoFn of "${place.name}" declares the timer "${timer}", and its onTimer has no function of that name`,
      why: "the timer would fire, and nothing be called",
      fix: `add onTimer: { ${timer}(context) { … } }`,
    });
  }
  for (const callback of Object.keys(callbacks)) {
    if (callback in timers) continue;
    throw stepError("TIMER_INVALID", place, {
      what: `the onTimer of the DoFn of "${place.name}" has a function "${callback}", and there is no timer of that name`,
      why: `its timers are ${Object.keys(timers).join(", ") || "none"}`,
      fix: `declare it, as in timers: { ${callback}: eventTimer() }, or take the function away`,
    });
  }
}

/**
 * Checks a CombineFn: all members there, none async.
 * @param what names it, as in `the CombineFn of "Sum"`
 * @throws COMBINE_FN_INVALID, ASYNC_NOT_ALLOWED
 */
export function checkCombineFn(
  place: StepPlace,
  fn: CombineFn<unknown, unknown, unknown> | undefined,
  what = `the CombineFn of "${place.name}"`,
): void {
  for (const member of ["createAccumulator", "addInput", "mergeAccumulators", "extractOutput", "compact"] as const) {
    const method = fn?.[member];
    if (typeof method !== "function" && !(member === "compact" && method === undefined)) {
      throw stepError("COMBINE_FN_INVALID", place, {
        what: `${what} has no function ${member}`,
        fix: "give createAccumulator, addInput, mergeAccumulators and extractOutput, or a plain function over the values",
      });
    }
    checkSync(place, `CombineFn.${member}`, method);
  }
  checkCoder(place, fn?.accumulatorCoder);
  checkCoder(place, fn?.outputCoder);
}

/** @throws ASYNC_NOT_ALLOWED when a member of a WindowFn is async */
export function checkWindowFn(place: StepPlace, windowFn: WindowFn): void {
  for (const member of ["assign", "merge", "sideInputWindow", "toData", "fromData"] as const) {
    checkSync(place, `WindowFn.${member}`, windowFn[member]);
  }
}

/** What a grouping needs of its input. @throws KEYED_STEP_NEEDS_KV, GBK_NEVER_EMITS, UNSAFE_TRIGGER, KEY_CODER_NOT_DETERMINISTIC */
export function checkGrouping(
  place: StepPlace,
  input: CollectionTraits,
  keyCoder: Coder<never> | undefined,
  allowUnsafeTriggers: boolean,
): void {
  checkKeyed(place, input, "KEYED_STEP_NEEDS_KV", `"${place.name}" groups by key`);
  checkKeyCoder(place, input, keyCoder);
  const { windowing } = input;
  if (neverFires(input)) {
    throw stepError("GBK_NEVER_EMITS", place, {
      what: `the grouping "${place.name}" would never emit`,
      why: `its input is unbounded and in the global window with the trigger ${triggerToString(windowing.trigger)}, which waits for the end of time`,
      fix: `window the input first, as in .apply(windowInto(fixedWindows(seconds(60)))), or give a trigger, as in windowInto(globalWindows(), { trigger: repeatedly(afterCount(100)) })`,
    });
  }
  atPlace(place, () => checkTriggerSafe(windowing.trigger, windowing.allowedLateness, allowUnsafeTriggers));
}

/** What a view needs of its input. @throws SIDE_INPUT_MERGING_WINDOWS, VIEW_NEVER_READY, KEYED_STEP_NEEDS_KV, KEY_CODER_NOT_DETERMINISTIC */
export function checkView(place: StepPlace, input: CollectionTraits, keyed: boolean): void {
  if (keyed) {
    checkKeyed(place, input, "KEYED_STEP_NEEDS_KV", `the map view "${place.name}" looks values up by key`);
    checkKeyCoder(place, input, undefined);
  }
  if (input.windowing.windowFn.merge !== undefined) {
    throw stepError("SIDE_INPUT_MERGING_WINDOWS", place, {
      what: `the view "${place.name}" is of a collection in the merging windows ${input.windowing.windowFn.name}`,
      why: "an element cannot tell which of windows that still merge holds its side input",
      fix: "window the side input otherwise first, as in .apply(windowInto(fixedWindows(minutes(1)))) or windowInto(globalWindows())",
    });
  }
  if (neverFires(input)) {
    throw stepError("VIEW_NEVER_READY", place, {
      what: `the view "${place.name}" would never be ready`,
      why: `its collection is unbounded and in the global window with the trigger ${triggerToString(input.windowing.trigger)}`,
      fix: "window the side input, or give it a trigger that fires, as in windowInto(globalWindows(), { trigger: repeatedly(afterCount(1)) })",
    });
  }
}

/** What a DoFn with state or timers needs of its input. @throws STATE_NEEDS_KEY, STATE_IN_MERGING_WINDOWS, KEY_CODER_NOT_DETERMINISTIC */
export function checkKeyedDoFn(place: StepPlace, input: CollectionTraits, keyCoder: Coder<never> | undefined): void {
  checkKeyed(
    place,
    input,
    "STATE_NEEDS_KEY",
    `the DoFn of "${place.name}" has state or timers, which are kept for each key`,
  );
  checkKeyCoder(place, input, keyCoder);
  if (input.windowing.windowFn.merge === undefined) return;
  throw stepError("STATE_IN_MERGING_WINDOWS", place, {
    what: `the DoFn of "${place.name}" has state or timers, and its input is in the merging windows ${input.windowing.windowFn.name}`,
    why: "the state of two windows that merge cannot be made one",
    fix: "window the input otherwise first, or group it by key and use a DoFn without state",
  });
}

/** A flatten's inputs have one windowing. @throws FLATTEN_WINDOWING_MISMATCH naming what differs */
export function checkSameWindowing(place: StepPlace, inputs: readonly CollectionTraits[]): void {
  const first = inputs[0]?.windowing;
  inputs.forEach(({ windowing }, position) => {
    const difference = first === undefined ? undefined : windowingDifference(first, windowing);
    if (difference === undefined) return;
    throw stepError("FLATTEN_WINDOWING_MISMATCH", place, {
      what: `inputs 1 and ${position + 1} of the flatten "${place.name}" have different windowings: ${difference}`,
      why: "one collection has one windowing",
      fix: "apply the same windowInto(...) to each input, or flatten them before windowing",
    });
  });
}

function windowingDifference(a: WindowingStrategy, b: WindowingStrategy): string | undefined {
  const parts = (w: WindowingStrategy): Record<string, string | number> => ({
    windows: w.windowFn.name,
    trigger: triggerToString(w.trigger),
    accumulation: w.accumulation,
    allowedLateness: w.allowedLateness,
    timestampCombiner: w.timestampCombiner,
    closingBehavior: w.closingBehavior,
    onTimeBehavior: w.onTimeBehavior,
  });
  const [left, right] = [parts(a), parts(b)];
  const differing = Object.keys(left).filter((name) => left[name] !== right[name]);
  if (differing.length === 0) return undefined;
  return differing.map((name) => `${name} ${left[name]} and ${right[name]}`).join(", ");
}

/** The end of the global window comes only with the end of the input, which an unbounded one does not have. */
function neverFires({ bounded, windowing }: CollectionTraits): boolean {
  return !bounded && windowing.windowFn.kind === "global" && waitsForTheEnd(windowing.trigger);
}

function waitsForTheEnd(trigger: Trigger): boolean {
  switch (trigger.kind) {
    case "default":
      return true;
    case "afterWatermark":
      return trigger.early === undefined || waitsForTheEnd(trigger.early);
    case "repeatedly":
      return waitsForTheEnd(trigger.of);
    case "afterAny":
      return trigger.of.every(waitsForTheEnd);
    case "afterAll":
      return trigger.of.some(waitsForTheEnd);
    case "afterEach":
      return trigger.of[0] === undefined || waitsForTheEnd(trigger.of[0]);
    case "orFinally":
      return waitsForTheEnd(trigger.of) && waitsForTheEnd(trigger.until);
    default:
      return false;
  }
}

function checkKeyed(
  place: StepPlace,
  input: CollectionTraits,
  code: "KEYED_STEP_NEEDS_KV" | "STATE_NEEDS_KEY",
  what: string,
): void {
  if (input.shape !== "other") return;
  throw stepError(code, place, {
    what: `${what}, and the elements of its input are not pairs of a key and a value`,
    fix: "make them pairs first, as in .apply(withKeys((element) => element.id))",
  });
}

function checkKeyCoder(place: StepPlace, input: CollectionTraits, given: Coder<never> | undefined): void {
  checkCoder(place, given);
  const coder = given ?? keyCoderOf(input.coder);
  if (coder === undefined || coder.deterministic) return;
  throw stepError("KEY_CODER_NOT_DETERMINISTIC", place, {
    what: `the coder ${coder.name} of the keys of "${place.name}" is not deterministic`,
    why: "equal keys must have equal bytes, or they become different groups",
    fix: "give a deterministic coder for the keys, or none: Tidemark then uses the canonical bytes of the key",
  });
}

/** What a given coder says of its elements: a standard coder without parts (strings, numbers …) is of no pairs. */
export function shapeOf(coder: Coder<never> | Coder<unknown> | undefined): CollectionTraits["shape"] {
  if (coder?.urn === undefined) return undefined;
  if (coder.urn === KV_URN) return "kv";
  return coder.components === undefined || coder.components.length === 0 ? "other" : undefined;
}

/** For messages: what a wrong argument is. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
