/** Counts the elements of collections where they are put in. */
import type { Step } from "../graph/graph.ts";
import type { ElementCount } from "../host/element-counts.ts";
import type { Emitter } from "../host/emitter.ts";
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";

export class CountingEmitter implements Emitter {
  readonly #count: ElementCount;
  readonly #out: Emitter;

  constructor(count: ElementCount, out: Emitter) {
    this.#count = count;
    this.#out = out;
  }

  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void {
    this.#count.elements++;
    this.#out.emit(value, timestamp, windows, pane);
  }
}

/**
 * Whether the elements of a step's main output need no counter in their way: there are as many as come in, but for what is
 * dropped and counted there, or the step adds them up itself, which costs less than a call for each.
 */
export function isCountedByItself({ spec, outputs, sideInputs }: Step): boolean {
  switch (spec.kind) {
    case "impulse":
    case "read":
    case "testStream":
    case "flatten":
    case "reshuffle":
    case "timestamps":
    case "windowInto":
    case "flatMap":
    case "filter":
      return true;
    case "map":
      // An element in several windows that looks at its window, or waits for a side input of it, comes out once for each.
      return outputs["deadLetter"] === undefined && Object.keys(sideInputs).length === 0 && spec.fn.length === 1;
    default:
      return false;
  }
}
