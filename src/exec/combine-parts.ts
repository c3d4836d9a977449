/**
 * Combining in parts, where the grouping in the middle is another runner's: accumulators are made before it, bundle by bundle,
 * and merged after it. Path: a fused chain -> HERE -> the step's output.
 *
 * P1 Ahead of the grouping there is one accumulator for each key and window of a bundle; it leaves when the bundle ends, or
 *    when there are too many.
 * P2 Its timestamp is what the windowing's timestamp combiner makes of its elements', so that the grouping comes to the same.
 */
import type { CombinePart } from "../graph/graph.ts";
import type { Emitter } from "../host/emitter.ts";
import type { MapKey } from "../host/records.ts";
import { NO_FIRING, type Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";
import type { WindowingStrategy } from "../model/windowing.ts";
import { stepFailure } from "./errors.ts";
import { accumulate, type LaneCombine, checkPair, extract, mapKeyOf, merge } from "./grouping.ts";
import type { StepInfo } from "./operators.ts";

interface Partial {
  readonly key: unknown;
  readonly windows: readonly Window[];
  accumulator: unknown;
  timestamp: Timestamp;
}

const PARTIALS_MAX = 10_000;

/** Values to accumulators. */
export class PrecombineOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #combine: LaneCombine;
  readonly #latest: boolean;
  readonly #out: Emitter;
  #windows = new Map<string, Map<MapKey, Partial>>();
  #count = 0;

  constructor(
    step: StepInfo,
    combine: LaneCombine,
    timestampCombiner: WindowingStrategy["timestampCombiner"],
    out: Emitter,
  ) {
    this.#step = step;
    this.#combine = combine;
    this.#latest = timestampCombiner !== "earliest";
    this.#out = out;
  }

  emit(element: unknown, timestamp: Timestamp, windows: readonly Window[], _pane: Pane): void {
    checkPair(this.#step, element);
    const mapKey = mapKeyOf(this.#step, element, windows);
    try {
      for (const window of windows) this.#add(element, mapKey, timestamp, window);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, element, windows, key: element[0], hasKey: true });
    }
    if (this.#count >= PARTIALS_MAX) this.finishBundle();
  }

  #add([key, value]: readonly [unknown, unknown], mapKey: MapKey, timestamp: Timestamp, window: Window): void {
    let partials = this.#windows.get(window.id);
    if (partials === undefined) this.#windows.set(window.id, (partials = new Map()));
    const found = partials.get(mapKey);
    const accumulator = accumulate(this.#combine, this.#step.name, found?.accumulator, value);
    if (found === undefined) {
      partials.set(mapKey, { key, windows: [window], accumulator, timestamp });
      this.#count++;
      return;
    }
    found.accumulator = accumulator;
    if (timestamp > found.timestamp === this.#latest) found.timestamp = timestamp;
  }

  finishBundle(): void {
    const windows = this.#windows;
    this.#windows = new Map();
    this.#count = 0;
    for (const partials of windows.values())
      for (const { key, windows: at, accumulator, timestamp } of partials.values())
        this.#out.emit([key, accumulator], timestamp, at, NO_FIRING);
  }
}

/** What follows the grouping. */
export class CombinePartOperator implements Emitter {
  readonly #step: StepInfo;
  readonly #part: Exclude<CombinePart, "precombine">;
  readonly #combine: LaneCombine;
  readonly #out: Emitter;

  constructor(step: StepInfo, part: Exclude<CombinePart, "precombine">, combine: LaneCombine, out: Emitter) {
    this.#step = step;
    this.#part = part;
    this.#combine = combine;
    this.#out = out;
  }

  emit(element: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    checkPair(this.#step, element);
    const [key, value] = element;
    let result: unknown;
    try {
      result = this.#apply(key, value, windows);
    } catch (error) {
      throw stepFailure(error, { step: this.#step.name, windows, key, hasKey: true });
    }
    this.#out.emit([key, result], timestamp, windows, pane);
  }

  #apply(key: unknown, value: unknown, windows: readonly Window[]): unknown {
    const { name } = this.#step;
    this.#combine.moveTo?.(windows[0] as Window);
    if (this.#part === "extract") return extract(this.#combine, name, value, key, windows);
    const all = [...(value as Iterable<unknown>)];
    // A pane without elements is that of an empty accumulator.
    if (this.#part === "merge")
      return merge(this.#combine, name, all.length > 0 ? all : [this.#combine.createAccumulator()]);
    let accumulator: unknown;
    for (const each of all) accumulator = accumulate(this.#combine, name, accumulator, each);
    return extract(this.#combine, name, accumulator, key, windows);
  }
}
