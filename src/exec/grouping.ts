/**
 * What the lanes of a grouping step share: how values accumulate, and where late elements go.
 */
import { isPlainText } from "../coders/key.ts";
import type { AnyCombine, CombineFn } from "../fn/combine-fn.ts";
import type { Late } from "../fn/set-aside.ts";
import type { StageHost } from "../host/host.ts";
import type { Emitter } from "../host/emitter.ts";
import { GLOBAL_WINDOWS, type Window } from "../model/window.ts";
import { NO_FIRING } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import { TidemarkError } from "../base/errors.ts";
import type { MapKey } from "../host/records.ts";
import { stepFailure, synchronous } from "./errors.ts";
import { preview } from "../base/preview.ts";
import type { StepInfo } from "./operators.ts";

/** A CombineFn as the lanes call it. */
export interface LaneCombine extends AnyCombine {
  /** Of one with side inputs: in which window the next calls are. That of an element is known before it comes. */
  moveTo?(window: Window): void;
}

/** GroupByKey as a combine: the accumulator is the list of values. */
export const LIST_COMBINE: CombineFn<unknown, unknown[], readonly unknown[]> = {
  name: "list",
  createAccumulator: () => [],
  addInput: (list, value) => {
    list.push(value);
    return list;
  },
  mergeAccumulators: (lists) => lists.flat(),
  // A copy, since the list may go on growing after this pane.
  extractOutput: (list) => list.slice(),
};

/** The accumulator with one more input: a new one where there was none. */
export function accumulate(combine: LaneCombine, step: string, accumulator: unknown, value: unknown): unknown {
  return accumulator === undefined ? firstInput(combine, step, value) : combine.addInput(accumulator, value);
}

/** Here promises are refused, and where results are made: not for each element. */
function firstInput(combine: LaneCombine, step: string, value: unknown): unknown {
  const empty = synchronous(combine.createAccumulator(), step, "createAccumulator of the CombineFn");
  return synchronous(combine.addInput(empty, value), step, "addInput of the CombineFn");
}

/** Several accumulators in one. */
export function merge(combine: LaneCombine, step: string, accumulators: readonly unknown[]): unknown {
  return synchronous(combine.mergeAccumulators(accumulators), step, "mergeAccumulators of the CombineFn");
}

/** What a pane puts out. @param accumulator `undefined` where there were no inputs */
export function extract(
  combine: LaneCombine,
  step: string,
  accumulator: unknown,
  key: unknown,
  windows: readonly Window[],
): unknown {
  try {
    combine.moveTo?.(windows[0] as Window);
    const added =
      accumulator === undefined
        ? synchronous(combine.createAccumulator(), step, "createAccumulator of the CombineFn")
        : accumulator;
    return synchronous(combine.extractOutput(added), step, "extractOutput of the CombineFn");
  } catch (error) {
    throw stepFailure(error, { step, windows, key, hasKey: true });
  }
}

/** Sends elements that a grouping or stateful step drops to its late output, and counts them. */
export class LateOutput {
  readonly #step: StepInfo;
  readonly #host: StageHost;
  readonly #out: Emitter | undefined;

  /** @param out the step's `late` output, where the program uses it */
  constructor(step: StepInfo, host: StageHost, out: Emitter | undefined) {
    this.#step = step;
    this.#host = host;
    this.#out = out;
  }

  /** @param expiry the last instant at which the element's window would have taken it */
  drop(
    element: unknown,
    timestamp: Timestamp,
    window: Window,
    expiry: Timestamp,
    reason: Late<unknown>["reason"],
  ): void {
    this.#host.dropped(this.#step.id, reason);
    if (this.#out === undefined) return;
    const watermark = this.#host.inputWatermark();
    const late: Late<unknown> = {
      element,
      timestamp,
      window,
      watermark,
      lateBy: Math.max(0, watermark - expiry),
      reason,
    };
    this.#out.emit(late, timestamp, GLOBAL_WINDOWS, NO_FIRING);
  }
}

/** What a key is looked up by. Text stands for itself, and is checked by `checkNewKey`, not with each element. */
export function lookUpKey(step: StepInfo, key: unknown): MapKey {
  return step.textIsMapKey && isPlainText(key) ? key : step.toMapKey(key);
}

/** Refuses, before a record is made for it, a text that is no key. */
export function checkNewKey(step: StepInfo, key: unknown): void {
  if (typeof key === "string") step.toMapKey(key);
}

/** What stands for the key of `element` in a Map. A key that cannot be compared is an error of this step. */
export function mapKeyOf(step: StepInfo, element: readonly [unknown, unknown], windows: readonly Window[]): MapKey {
  try {
    return step.toMapKey(element[0]);
  } catch (error) {
    throw stepFailure(error, { step: step.name, element, windows, key: element[0], hasKey: true });
  }
}

/** Refuses an element of a keyed step that is not a pair. */
export function checkPair(step: StepInfo, element: unknown): asserts element is readonly [unknown, unknown] {
  if (Array.isArray(element) && element.length === 2) return;
  throw new TidemarkError("NOT_A_KEY_VALUE", {
    what: `step "${step.name}" got ${preview(element)}, which is not a [key, value] pair`,
    why: "it works key by key",
    fix: "map to a pair first: .map((x) => [keyOf(x), x])",
    step: step.name,
    element: preview(element),
  });
}
