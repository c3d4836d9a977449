/** Where the outputs of a step go: the next step of the fused chain, another stage, or an encoder. */
import type { Pane } from "../model/pane.ts";
import type { Timestamp } from "../model/time.ts";
import type { Window } from "../model/window.ts";

/**
 * Takes elements, one call each, as bare arguments: nothing is allocated per element.
 *
 * X1 `windows` is shared between elements and never changed.
 * X2 `emit` never comes back into the stage that calls it.
 */
export interface Emitter {
  emit(value: unknown, timestamp: Timestamp, windows: readonly Window[], pane: Pane): void;
}
